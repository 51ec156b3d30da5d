import type { Fault } from '@handwired/course';
import { deleteRule, insertRule } from './parts.ts';

const createRule = (bridge: string): string[] => ['-i', bridge, '-j', 'CT', '--notrack'];

export const fault: Fault = {
  id: 'untracked',
  title: 'Packets of the containers are kept from connection tracking.',
  level: 3,
  needs: 'egress',
  excludes: [],
  cause: 'notrack',
  symptoms: ['egress.ct1', 'egress.ct2', 'egress.masquerade'],
  inject: ({ bridge }) => [insertRule('raw', 'PREROUTING', createRule(bridge))],
  repair: ({ bridge }) => [deleteRule('raw', 'PREROUTING', createRule(bridge))],
  explanation:
    'NAT is part of connection tracking. A packet that is not tracked never reaches the nat table, so the right MASQUERADE there does nothing. The rule that prevents tracking is in the table raw, which is asked before all others.',
};
