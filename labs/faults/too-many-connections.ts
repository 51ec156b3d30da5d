import type { Fault } from '@handwired/course';
import { deleteRule, insertRule } from './parts.ts';

const createRule = (bridge: string): string[] =>
  `-i ${bridge} -m conntrack --ctstate NEW -m connlimit --connlimit-above 1 --connlimit-mask 32 --connlimit-saddr -j DROP`.split(
    ' ',
  );

export const fault: Fault = {
  id: 'too-many-connections',
  title: 'A rule allows each container one connection at a time.',
  level: 3,
  needs: 'egress',
  excludes: [],
  cause: 'connection-limit',
  symptoms: ['egress.ct1', 'egress.ct2'],
  inject: ({ bridge }) => [insertRule('filter', 'FORWARD', createRule(bridge))],
  repair: ({ bridge }) => [deleteRule('filter', 'FORWARD', createRule(bridge))],
  explanation:
    'One request at a time gets through, and so each single try looks right. The second at the same moment is dropped without a word, until connection tracking has forgotten the first: for a ping, half a minute.',
};
