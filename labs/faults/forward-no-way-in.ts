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
    "DNAT changes a packet's destination, but does not accept the packet. FORWARD judges it afterwards, by its new address and port. Packets from the lab host itself pass OUTPUT instead, and arrive.",
};
