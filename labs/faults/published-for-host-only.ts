import { appendRule, type Fault } from '@handwired/course';
import { createPublishRules } from '../08-publish/chapter.ts';
import { rewriteRules } from './parts.ts';

export const fault: Fault = {
  id: 'published-for-host-only',
  title: 'The published port is translated in OUTPUT only.',
  level: 2,
  needs: 'publish',
  excludes: ['dnat-wrong-port', 'dnat-wrong-container', 'published-for-outside-only'],
  cause: 'dnat-not-in-prerouting',
  symptoms: ['publish.outside'],
  inject: ({ hostPort }) => [rewriteRules('nat', `-A PREROUTING .*--dport ${hostPort} .*-j DNAT`, { delete: true })],
  repair: (plan) => [appendRule(createPublishRules(plan).dnat)],
  explanation:
    'A test from the lab host itself passes OUTPUT, and works. A packet from outside passes PREROUTING, where nothing is translated. So it goes to the lab host itself, which refuses it.',
};
