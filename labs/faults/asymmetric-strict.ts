import { $, type Fault } from '@handwired/course';
import { world } from '@handwired/host';
import { deleteRule, insertRule, setSysctlTo, uplink } from './parts.ts';

/** The outside client's network, and the link through which table main then sends packets to it. */
const network = world.outside.replace(/\d+$/, '0/24');
const other = 'br-keep';

const createMarkRule = (bridge: string): string[] => ['-i', bridge, '-j', 'MARK', '--set-mark', '100'];

const strict = ['all', uplink].map((device) => `net.ipv4.conf.${device}.rp_filter`);

export const fault: Fault = {
  id: 'asymmetric-strict',
  title: 'Strict reverse path filtering, and the way back is by another link.',
  level: 3,
  needs: 'publish',
  excludes: [],
  cause: 'rp-filter-strict',
  symptoms: ['publish.outside'],
  inject: ({ bridge }) => [
    {
      done: $`ip route show table 100 | grep -q .`,
      run: $`ip route add ${network} via ${world.uplink.gateway} dev ${uplink} table 100`,
    },
    insertRule('mangle', 'PREROUTING', createMarkRule(bridge)),
    { done: $`ip rule show table 100 | grep -q .`, run: $`ip rule add fwmark 100 table 100` },
    { done: $`ip route show ${network} dev ${other} | grep -q .`, run: $`ip route add ${network} dev ${other}` },
    ...strict.map((key) => setSysctlTo(key, 1)),
  ],
  repair: ({ bridge }) => [
    ...strict.map((key) => setSysctlTo(key, 2)),
    { done: $`! ip route show ${network} dev ${other} | grep -q .`, run: $`ip route del ${network} dev ${other}` },
    { done: $`! ip rule show table 100 | grep -q .`, run: $`ip rule del fwmark 100 table 100` },
    deleteRule('mangle', 'PREROUTING', createMarkRule(bridge)),
    { done: $`! ip route show table 100 | grep -q .`, run: $`ip route flush table 100` },
  ],
  explanation:
    "With rp_filter 1, a link takes a packet only if table main would send the answer through the same link. Here a mark sends the containers' answers the right way through another table, but table main has another way. With rp_filter 2 (loose), any way back would be enough. The kernel logs nothing, and no rule counts the packet.",
};
