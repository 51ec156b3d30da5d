import { appendRule, type Fault } from '@handwired/course';
import { createEgressRules } from '../06-egress/chapter.ts';
import { acceptForwards, dropForwards, rewriteRules } from './parts.ts';

export const fault: Fault = {
  id: 'forward-no-way-back',
  title: 'The policy of FORWARD is DROP, and no rule lets the answers back in.',
  level: 2,
  needs: 'egress',
  excludes: ['forward-no-way-out'],
  cause: 'forward-no-accept-back',
  symptoms: ['egress.ct1', 'egress.ct2'],
  inject: ({ bridge }) => [
    dropForwards(),
    rewriteRules('filter', `-A .*-o ${bridge} -m (conntrack --ctstate|state --state) RELATED,ESTABLISHED .*-j ACCEPT`, {
      delete: true,
    }),
  ],
  repair: (plan) => [appendRule(createEgressRules(plan).back), acceptForwards()],
  explanation:
    'The way out is open and the way back is not. The request arrives in the world, the answer reaches the uplink, and FORWARD drops it. A filter judges each direction separately.',
};
