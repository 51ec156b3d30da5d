import { $, appendRule, type Fault, mark, removeRule } from '@handwired/course';
import { createPublishRules } from '../08-publish/chapter.ts';
import { rewriteRules } from './parts.ts';

export const fault: Fault = {
  id: 'dnat-wrong-container',
  title: 'The published port is translated to the wrong container.',
  level: 1,
  needs: 'publish',
  excludes: ['dnat-wrong-port'],
  cause: 'dnat-wrong-address',
  symptoms: ['publish.outside', 'publish.host-address', 'publish.loopback'],
  inject: ({ ct1, ct2, containerPort, hostPort }) => [
    rewriteRules(
      'nat',
      `(-A .*--dport ${hostPort} .*-j DNAT --to-destination )${ct1.address}:${containerPort}$`,
      `\\1${ct2.address}:${containerPort}`,
    ),
  ],
  repair: (plan) => {
    const { ct2, containerPort, hostPort } = plan;
    const published = ['-m', 'addrtype', '--dst-type', 'LOCAL', '-p', 'tcp', '--dport', String(hostPort), ...mark];
    const { dnat, local } = createPublishRules(plan);
    return [
      ...['PREROUTING', 'OUTPUT'].map((chain) =>
        removeRule(
          $`iptables -t nat -A ${chain} ${published} -j DNAT --to-destination ${`${ct2.address}:${containerPort}`}`,
        ),
      ),
      appendRule(dnat),
      appendRule(local),
    ];
  },
  explanation:
    'The request goes to the other container, where nobody listens, and that container refuses it. Its new destination shows this, and so does the link by which it leaves the bridge.',
};
