import { $, appendRule, type Fault, mark, removeRule } from '@handwired/course';
import { createEgressRules } from '../06-egress/chapter.ts';
import { rewriteRules, uplink } from './parts.ts';

/** An address of the uplink's network that nobody has. */
const other = '203.0.113.99';

export const fault: Fault = {
  id: 'source-not-ours',
  title: "The source is translated to an address that is not the lab host's.",
  level: 2,
  needs: 'egress',
  excludes: ['masquerade-wrong-uplink', 'masquerade-wrong-subnet', 'masquerade-missing'],
  cause: 'snat-wrong-address',
  symptoms: ['egress.ct1', 'egress.ct2', 'egress.masquerade'],
  inject: ({ bridge, subnet }) => [
    rewriteRules(
      'nat',
      `(-A .*-s ${subnet}( ! -o ${bridge}| -o ${uplink}) .*)-j MASQUERADE.*`,
      `\\1-j SNAT --to-source ${other}`,
    ),
  ],
  repair: (plan) => [
    removeRule(
      $`iptables -t nat -A POSTROUTING -s ${plan.subnet} ! -o ${plan.bridge} ${mark} -j SNAT --to-source ${other}`,
    ),
    appendRule(createEgressRules(plan).masquerade),
  ],
  explanation:
    "SNAT writes the address that it was given, and does not test whether the host has it. MASQUERADE takes the address that the uplink has. The answers are looked for by ARP on the uplink's network, where nobody has that address.",
};
