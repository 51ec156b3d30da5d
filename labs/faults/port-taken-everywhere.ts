import { $, appendRule, type Fault, mark, removeRule } from '@handwired/course';
import { createPublishRules } from '../08-publish/chapter.ts';
import { rewriteRules } from './parts.ts';

export const fault: Fault = {
  id: 'port-taken-everywhere',
  title: 'The translation takes the port for every destination.',
  level: 2,
  needs: 'publish',
  excludes: ['dnat-wrong-port', 'dnat-wrong-container', 'published-for-host-only', 'published-by-udp'],
  cause: 'dnat-takes-all',
  symptoms: ['publish.transit'],
  inject: ({ hostPort }) => [
    rewriteRules(
      'nat',
      `(-A PREROUTING .*)-m addrtype --dst-type LOCAL (.*--dport ${hostPort} .*-j DNAT .*)`,
      `\\1\\2`,
    ),
  ],
  repair: (plan) => {
    const { ct1, containerPort, hostPort } = plan;
    const target = `${ct1.address}:${containerPort}`;
    return [
      removeRule(
        $`iptables -t nat -A PREROUTING -p tcp -m tcp --dport ${hostPort} ${mark} -j DNAT --to-destination ${target}`,
      ),
      appendRule(createPublishRules(plan).dnat),
    ];
  },
  explanation:
    'PREROUTING sees everything that comes in, also what the containers send to others. Without a condition on the destination, every request to that port ends in the published container, wherever it was meant to go.',
};
