import { $, type Fault, isUp, sh } from '@handwired/course';
import { findOuterEnd } from './parts.ts';

export const fault: Fault = {
  id: 'cable-down-outside',
  title: "The lab host's end of a container's cable is switched off.",
  level: 1,
  needs: 'connectivity',
  excludes: [],
  cause: 'veth-host-end-down',
  symptoms: ['veth.ct1-port'],
  inject: ({ ct1, inner }) => {
    const end = findOuterEnd(ct1, inner).cmd;
    return [{ done: sh(`! ip link show dev "$(${end})" up | grep -q .`), run: sh(`ip link set "$(${end})" down`) }];
  },
  repair: ({ ct1 }) => [{ done: isUp(ct1.veth), run: $`ip link set ${ct1.veth} up` }],
  explanation:
    'A veth pair has a carrier only when both of its ends are up. The container sees its link up but without a carrier, and every packet that it sends is dropped at once.',
};
