import { appendRule, type Fault } from '@handwired/course';
import { createEgressRules } from '../06-egress/chapter.ts';
import { rewriteRules, uplink } from './parts.ts';

export const fault: Fault = {
  id: 'masquerade-missing',
  title: 'Nothing translates the source of what leaves.',
  level: 1,
  needs: 'egress',
  excludes: ['masquerade-wrong-uplink', 'masquerade-wrong-subnet'],
  cause: 'masquerade-missing',
  symptoms: ['egress.ct1', 'egress.ct2', 'egress.masquerade'],
  inject: ({ bridge, subnet }) => [
    rewriteRules('nat', `-A .*-s ${subnet}( ! -o ${bridge}| -o ${uplink}) .*-j (MASQUERADE|SNAT)`, { delete: true }),
  ],
  repair: (plan) => [appendRule(createEgressRules(plan).masquerade)],
  explanation:
    'The packets leave with the private source address of the container. They arrive and are answered, but nobody out there has a route back to such an address.',
};
