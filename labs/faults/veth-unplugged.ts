import { $, type Fault, sh } from '@handwired/course';
import { findOuterEnd } from './parts.ts';

export const fault: Fault = {
  id: 'veth-unplugged',
  title: "A container's cable is in no bridge.",
  level: 1,
  needs: 'connectivity',
  excludes: [],
  cause: 'veth-in-no-bridge',
  symptoms: ['veth.ct2-port'],
  inject: ({ ct2, inner }) => {
    const end = findOuterEnd(ct2, inner).cmd;
    return [
      { done: sh(`! ip link show dev "$(${end})" | grep -q ' master '`), run: sh(`ip link set "$(${end})" nomaster`) },
    ];
  },
  repair: ({ bridge, ct2 }) => [
    {
      done: sh(`${$`ip link show dev ${ct2.veth} master ${bridge}`.cmd} | grep -q .`),
      run: $`ip link set ${ct2.veth} master ${bridge}`,
    },
  ],
  explanation:
    'Both ends of the cable are up, so the container sees a carrier. But a host end that is no port of the bridge leads to the host only. None of its frames reach the bridge, and ARP for every neighbour gets no answer.',
};
