import type { Fault } from '@handwired/course';
import { deleteRule, insertRule, uplink } from './parts.ts';

const createRule = (bridge: string): string[] => ['-i', bridge, '-o', uplink, '-j', 'DROP'];

export const fault: Fault = {
  id: 'drop-before-accept',
  title: 'A DROP stands before the ACCEPT in FORWARD.',
  level: 2,
  needs: 'egress',
  excludes: [],
  cause: 'forward-rule-drops',
  symptoms: ['egress.ct1', 'egress.ct2', 'publish.outside'],
  inject: ({ bridge }) => [insertRule('filter', 'FORWARD', createRule(bridge))],
  repair: ({ bridge }) => [deleteRule('filter', 'FORWARD', createRule(bridge))],
  explanation:
    'The first rule that matches and ends the chain decides. The ACCEPT is right, but it stands behind the DROP. Its counter does not change, while the counter of the DROP does.',
};
