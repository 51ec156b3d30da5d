import { $, type Fault, hasAddress, not } from '@handwired/course';

export const fault: Fault = {
  id: 'bridge-without-address',
  title: "The bridge has lost the gateway's address.",
  level: 1,
  needs: 'connectivity',
  excludes: [],
  cause: 'bridge-address-missing',
  symptoms: ['bridge.address'],
  inject: ({ bridge, gateway, prefix }) => [
    {
      done: not(hasAddress(bridge, `${gateway}/${prefix}`)),
      run: $`ip addr del ${`${gateway}/${prefix}`} dev ${bridge}`,
    },
  ],
  repair: ({ bridge, gateway, prefix }) => [
    {
      done: hasAddress(bridge, `${gateway}/${prefix}`),
      run: $`ip addr add ${`${gateway}/${prefix}`} dev ${bridge}`,
    },
  ],
  explanation:
    "The bridge still carries frames between its ports. But nobody answers for the gateway's address, and the lab host's route to the subnet was removed with that address.",
};
