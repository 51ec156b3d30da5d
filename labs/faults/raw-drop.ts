import type { Fault } from '@handwired/course';
import { deleteRule, insertRule } from './parts.ts';

const createRule = (bridge: string): string[] => [
  '-i',
  bridge,
  '-p',
  'tcp',
  '-m',
  'tcp',
  '--dport',
  '80',
  '-j',
  'DROP',
];

export const fault: Fault = {
  id: 'raw-drop',
  title: 'The table raw drops web requests before anything else sees them.',
  level: 3,
  needs: 'egress',
  excludes: [],
  cause: 'prerouting-drop',
  symptoms: ['egress.ct1', 'egress.ct2'],
  inject: ({ bridge }) => [insertRule('raw', 'PREROUTING', createRule(bridge))],
  repair: ({ bridge }) => [deleteRule('raw', 'PREROUTING', createRule(bridge))],
  explanation:
    'What iptables -L shows is the table filter, and nothing of raw, which is asked first of all. So the packets are seen on the bridge and never counted by FORWARD.',
};
