import { $, type Fault } from '@handwired/course';

const mac = '02:00:5e:00:00:63';

export const fault: Fault = {
  id: 'false-neighbour',
  title: 'A permanent neighbour entry holds a MAC address that nobody has.',
  level: 3,
  needs: 'connectivity',
  excludes: [],
  cause: 'neighbour-entry-wrong',
  symptoms: ['connectivity.ct1-ct2', 'connectivity.ct2-ct1'],
  inject: ({ ct1, ct2, inner }) => [
    {
      done: $`ip -n ${ct1.name} neigh show ${ct2.address} dev ${inner} | grep -q ${`${mac} PERMANENT`}`,
      run: $`ip -n ${ct1.name} neigh replace ${ct2.address} lladdr ${mac} dev ${inner} nud permanent`,
    },
  ],
  repair: ({ ct1, ct2, inner }) => [
    {
      done: $`! ip -n ${ct1.name} neigh show ${ct2.address} dev ${inner} | grep -q PERMANENT`,
      run: $`ip -n ${ct1.name} neigh del ${ct2.address} dev ${inner}`,
    },
  ],
  explanation:
    'The kernel never renews a permanent entry by ARP. The frames go to a MAC address that nobody has. That no ARP is seen is the sign.',
};
