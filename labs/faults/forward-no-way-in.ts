import { appendRule, type Fault } from '@handwired/course';
import { createPublishRules } from '../08-publish/chapter.ts';
import { acceptForwards, dropForwards, rewriteRules } from './parts.ts';

export const fault: Fault = {
  id: 'forward-no-way-in',
  title: 'The policy of FORWARD is DROP, and no rule lets in what comes for the published port.',
  level: 2,
  needs: 'publish',
  excludes: ['forward-no-way-out', 'forward-no-way-back'],
  cause: 'forward-no-accept-published',
  symptoms: ['publish.outside'],
  inject: ({ ct1 }) => [
    dropForwards(),
    rewriteRules('filter', `-A .*-d ${ct1.address}(/32)? .*--dport [0-9]+ .*-j ACCEPT`, { delete: true }),
  ],
  repair: (plan) => [appendRule(createPublishRules(plan).accept), acceptForwards()],
  explanation:
    'DNAT changes where a packet goes and does not accept it: FORWARD judges it afterwards, by the address and the port that it has then. What the lab host itself sends passes OUTPUT instead, and arrives.',
};
