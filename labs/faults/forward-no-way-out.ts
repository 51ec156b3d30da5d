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
    'What no rule of FORWARD accepts is for its policy to decide, and the policy drops it. Rules accept what comes in for the containers, and none what they send.',
};
