import { $, type Fault, sh } from '@handwired/course';
import { findOuterEnd } from './parts.ts';

export const fault: Fault = {
  id: 'isolated-ports',
  title: 'The ports of the bridge are isolated from each other.',
  level: 2,
  needs: 'connectivity',
  excludes: ['veth-unplugged', 'port-disabled'],
  cause: 'veth-port-isolated',
  symptoms: ['connectivity.ct1-ct2', 'connectivity.ct2-ct1'],
  inject: ({ ct1, ct2, inner }) =>
    [ct1, ct2].map((ct) => {
      const end = findOuterEnd(ct, inner).cmd;
      return {
        done: sh(`bridge -d link show dev "$(${end})" | grep -q 'isolated on'`),
        run: sh(`bridge link set dev "$(${end})" isolated on`),
      };
    }),
  repair: ({ ct1, ct2 }) =>
    [ct1, ct2].map(({ veth }) => ({
      done: $`bridge -d link show dev ${veth} | grep -q 'isolated off'`,
      run: $`bridge link set dev ${veth} isolated off`,
    })),
  explanation:
    'Isolated ports of a bridge exchange frames with all other ports and with the lab host, but not with each other. So each container reaches its gateway and the internet, but not its neighbour.',
};
