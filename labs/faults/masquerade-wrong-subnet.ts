import { $, appendRule, type Fault, mark, removeRule } from '@handwired/course';
import { createEgressRules } from '../06-egress/chapter.ts';
import { rewriteRules, uplink } from './parts.ts';

/** Another private network, as in a rule that was copied from elsewhere. */
const other = '192.168.100.0/24';

export const fault: Fault = {
  id: 'masquerade-wrong-subnet',
  title: "The source is translated for a subnet that is not the containers'.",
  level: 1,
  needs: 'egress',
  excludes: ['masquerade-wrong-uplink'],
  cause: 'masquerade-wrong-subnet',
  symptoms: ['egress.ct1', 'egress.ct2', 'egress.masquerade'],
  inject: ({ bridge, subnet }) => [
    rewriteRules('nat', `(-A .*)-s ${subnet}(( ! -o ${bridge}| -o ${uplink}) .*-j MASQUERADE.*)`, `\\1-s ${other}\\2`),
  ],
  repair: (plan) => [
    removeRule($`iptables -t nat -A POSTROUTING -s ${other} ! -o ${plan.bridge} ${mark} -j MASQUERADE`),
    appendRule(createEgressRules(plan).masquerade),
  ],
  explanation:
    'The rule matches packets from the network that it names, and the containers are in another one. So their packets leave the uplink with a private source address, and no answer finds its way back.',
};
