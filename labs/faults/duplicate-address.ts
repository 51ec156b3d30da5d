import { $, type Fault, hasAddress, not } from '@handwired/course';

export const fault: Fault = {
  id: 'duplicate-address',
  title: "A container also has its neighbour's address.",
  level: 2,
  needs: 'connectivity',
  excludes: [],
  cause: 'address-doubled',
  symptoms: ['connectivity.ct1-ct2', 'connectivity.ct2-ct1'],
  inject: ({ ct1, ct2 }) => [
    {
      done: hasAddress('lo', `${ct1.address}/32`, ct2.name),
      run: $`ip -n ${ct2.name} addr add ${`${ct1.address}/32`} dev lo`,
    },
  ],
  repair: ({ ct1, ct2, bridge }) => [
    {
      done: not(hasAddress('lo', `${ct1.address}/32`, ct2.name)),
      run: $`ip -n ${ct2.name} addr del ${`${ct1.address}/32`} dev lo; ip neigh flush dev ${bridge}`,
    },
  ],
  explanation:
    'A host accepts packets for any of its addresses, on whichever link they are. So what ct2 sends to ct1 never leaves ct2, and its answers to ct1 go to itself. It also answers ARP for that address on all of its links.',
};
