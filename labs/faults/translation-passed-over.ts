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
    'ACCEPT in a nat chain means that the packet stays as it is and no further rule is asked. The right translation stands behind that rule and is never asked, so its counters do not change.',
};
