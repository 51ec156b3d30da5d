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
    'The command iptables -L shows the table filter only, and not the table raw, which is asked first. So the packets are seen on the bridge, and FORWARD never counts them.',
};
