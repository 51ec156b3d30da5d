import { $, appendRule, type Fault, mark, removeRule } from '@handwired/course';
import { createPublishRules } from '../08-publish/chapter.ts';
import { rewriteRules } from './parts.ts';

export const fault: Fault = {
  id: 'published-by-udp',
  title: 'The published port is translated for another protocol.',
  level: 2,
  needs: 'publish',
  excludes: ['dnat-wrong-port', 'dnat-wrong-container', 'published-for-outside-only', 'published-for-host-only'],
  cause: 'dnat-wrong-protocol',
  symptoms: ['publish.outside', 'publish.host-address', 'publish.loopback'],
  inject: ({ hostPort }) => [
    rewriteRules('nat', `(-A .*)-p tcp (.*)-m tcp (--dport ${hostPort} .*-j DNAT .*)`, `\\1-p udp \\2-m udp \\3`),
  ],
  repair: (plan) => {
    const { ct1, containerPort, hostPort } = plan;
    const published = ['-m', 'addrtype', '--dst-type', 'LOCAL', '-p', 'udp', '--dport', String(hostPort), ...mark];
    const { dnat, local } = createPublishRules(plan);
    return [
      ...['PREROUTING', 'OUTPUT'].map((chain) =>
        removeRule(
          $`iptables -t nat -A ${chain} ${published} -j DNAT --to-destination ${`${ct1.address}:${containerPort}`}`,
        ),
      ),
      appendRule(dnat),
      appendRule(local),
    ];
  },
  explanation:
    'A port number belongs to one protocol: TCP 8080 and UDP 8080 are different ports. HTTP uses TCP, matches no rule, and is refused by the lab host itself.',
};
