import { $, type Fault, sh } from '@handwired/course';
import { findOuterEnd } from './parts.ts';

export const fault: Fault = {
  id: 'port-disabled',
  title: 'A port of the bridge is in the state disabled.',
  level: 2,
  needs: 'connectivity',
  excludes: ['cable-down-outside', 'link-down-inside'],
  cause: 'port-disabled',
  symptoms: ['connectivity.ct1-ct2', 'connectivity.ct1-gateway'],
  inject: ({ ct1, inner }) => {
    const end = findOuterEnd(ct1, inner).cmd;
    return [
      {
        done: sh(`bridge link show dev "$(${end})" | grep -q 'state disabled'`),
        run: sh(`bridge link set dev "$(${end})" state 0`),
      },
    ];
  },
  repair: ({ ct1 }) => [
    {
      done: $`bridge link show dev ${ct1.veth} | grep -q 'state forwarding'`,
      run: $`bridge link set dev ${ct1.veth} state 3`,
    },
  ],
  explanation:
    'The link is up, has a carrier, and has the bridge as its master, so ip link shows nothing wrong. Whether a port forwards is a separate state. The spanning tree protocol sets it where it runs, and bridge link shows it.',
};
