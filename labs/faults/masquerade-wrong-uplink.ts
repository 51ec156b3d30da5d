import { $, appendRule, type Fault, mark, removeRule } from '@handwired/course';
import { createEgressRules } from '../06-egress/chapter.ts';
import { rewriteRules, uplink } from './parts.ts';

/** A common name of an uplink, which this lab host does not have. */
const other = 'eth0';

export const fault: Fault = {
  id: 'masquerade-wrong-uplink',
  title: 'The source is translated for an interface that is not the uplink.',
  level: 1,
  needs: 'egress',
  excludes: [],
  cause: 'masquerade-wrong-device',
  symptoms: ['egress.ct1', 'egress.ct2', 'egress.masquerade'],
  inject: ({ bridge }) => [
    rewriteRules('nat', `(-A .*)(! -o ${bridge}|-o ${uplink})( .*-j (MASQUERADE|SNAT).*)`, `\\1-o ${other}\\3`),
  ],
  repair: (plan) => [
    removeRule($`iptables -t nat -A POSTROUTING -s ${plan.subnet} -o ${other} ${mark} -j MASQUERADE`),
    appendRule(createEgressRules(plan).masquerade),
  ],
  explanation:
    "The rule matches packets that leave by the interface that it names. The containers' packets leave by another one, and keep their private source address. Nobody out there has a route back to it.",
};
