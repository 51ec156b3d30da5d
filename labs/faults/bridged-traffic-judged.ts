import { appendRule, type Fault } from '@handwired/course';
import { createBridgeRule } from '../05-connectivity/chapter.ts';
import { acceptForwards, dropForwards, rewriteRules, setSysctlTo } from './parts.ts';

const key = 'net.bridge.bridge-nf-call-iptables';

export const fault: Fault = {
  id: 'bridged-traffic-judged',
  title: 'FORWARD judges what passes between two ports, and drops it.',
  level: 3,
  needs: 'connectivity',
  conditions: { 'bridge-nf': '1' },
  excludes: ['forward-no-way-out', 'forward-no-way-back', 'forward-no-way-in'],
  cause: 'forward-drops-bridged',
  symptoms: ['connectivity.ct1-ct2', 'connectivity.ct2-ct1'],
  inject: ({ bridge }) => [
    setSysctlTo(key, 1),
    dropForwards(),
    rewriteRules('filter', `-A .*-i ${bridge} -o ${bridge} .*-j ACCEPT`, { delete: true }),
  ],
  repair: (plan) => [appendRule(createBridgeRule(plan)), acceptForwards()],
  explanation:
    "With bridge-nf-call-iptables, frames that a bridge passes from port to port go through FORWARD too, as packets from the bridge to the bridge. ARP does not. So the containers know each other's MAC addresses, and still nothing arrives.",
};
