import type { Fault } from '@handwired/course';
import { deleteRule, insertRule, uplink } from './parts.ts';

const createRule = (subnet: string): string[] => ['-s', subnet, '-o', uplink, '-j', 'ACCEPT'];

export const fault: Fault = {
  id: 'translation-passed-over',
  title: 'A rule before the translation ends the chain.',
  level: 2,
  needs: 'egress',
  excludes: ['masquerade-wrong-uplink', 'masquerade-wrong-subnet', 'masquerade-missing', 'source-not-ours'],
  cause: 'masquerade-shadowed',
  symptoms: ['egress.ct1', 'egress.ct2', 'egress.masquerade'],
  inject: ({ subnet }) => [insertRule('nat', 'POSTROUTING', createRule(subnet))],
  repair: ({ subnet }) => [deleteRule('nat', 'POSTROUTING', createRule(subnet))],
  explanation:
    'ACCEPT in a chain of nat means: leave it as it is, and ask no further rule. The translation stands behind it, is right, and is never asked; its counters stay where they are.',
};
