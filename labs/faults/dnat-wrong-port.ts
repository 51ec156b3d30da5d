import { $, appendRule, type Fault, mark, removeRule } from '@handwired/course';
import { createPublishRules } from '../08-publish/chapter.ts';
import { rewriteRules } from './parts.ts';

export const fault: Fault = {
  id: 'dnat-wrong-port',
  title: 'The published port is translated to a port on which nobody listens.',
  level: 1,
  needs: 'publish',
  excludes: [],
  cause: 'dnat-wrong-port',
  symptoms: ['publish.outside', 'publish.host-address', 'publish.loopback'],
  inject: ({ ct1, containerPort, hostPort }) => [
    rewriteRules(
      'nat',
      `(-A .*--dport ${hostPort} .*-j DNAT --to-destination )${ct1.address}:${containerPort}$`,
      `\\1${ct1.address}:${containerPort + 1}`,
    ),
  ],
  repair: (plan) => {
    const { ct1, containerPort, hostPort } = plan;
    const published = ['-m', 'addrtype', '--dst-type', 'LOCAL', '-p', 'tcp', '--dport', String(hostPort), ...mark];
    const { dnat, local } = createPublishRules(plan);
    return [
      ...['PREROUTING', 'OUTPUT'].map((chain) =>
        removeRule(
          $`iptables -t nat -A ${chain} ${published} -j DNAT --to-destination ${`${ct1.address}:${containerPort + 1}`}`,
        ),
      ),
      appendRule(dnat),
      appendRule(local),
    ];
  },
  explanation:
    "The request reaches the container at a port where no program listens, and the container's kernel refuses it at once. The server listens on the next port.",
};
