import { appendRule, type Fault } from '@handwired/course';
import { createEgressRules } from '../06-egress/chapter.ts';
import { acceptForwards, dropForwards, rewriteRules } from './parts.ts';

export const fault: Fault = {
  id: 'forward-no-way-out',
  title: 'The policy of FORWARD is DROP, and no rule lets the containers out.',
  level: 2,
  needs: 'egress',
  excludes: [],
  cause: 'forward-no-accept-out',
  symptoms: ['egress.ct1', 'egress.ct2', 'publish.outside'],
  inject: ({ bridge }) => [
    dropForwards(),
    rewriteRules('filter', `-A .*-i ${bridge} (! -o ${bridge} |-o enp1s0 ).*-j ACCEPT`, { delete: true }),
  ],
  repair: (plan) => [appendRule(createEgressRules(plan).out), acceptForwards()],
  explanation:
    'When no rule of FORWARD accepts a packet the policy decides, and the policy is DROP. Some rules accept what comes in for the containers, but none accepts what they send.',
};
