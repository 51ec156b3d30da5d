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
    'One connection at a time gets through, so every single test passes. A second one at the same moment is dropped, and nothing reports it, until connection tracking has forgotten the first. For a ping that takes half a minute.',
};
