import { appendRule, type Fault } from '@handwired/course';
import { createPublishRules } from '../08-publish/chapter.ts';
import { rewriteRules } from './parts.ts';

export const fault: Fault = {
  id: 'published-for-outside-only',
  title: 'The published port is translated in PREROUTING only.',
  level: 2,
  needs: 'publish',
  excludes: ['dnat-wrong-port', 'dnat-wrong-container'],
  cause: 'dnat-not-in-output',
  symptoms: ['publish.host-address', 'publish.loopback'],
  inject: ({ hostPort }) => [rewriteRules('nat', `-A OUTPUT .*--dport ${hostPort} .*-j DNAT`, { delete: true })],
  repair: (plan) => [appendRule(createPublishRules(plan).local)],
  explanation:
    'What the lab host itself sends starts at OUTPUT and never passes PREROUTING. So everybody outside reaches the port, and only the lab host is refused.',
};
