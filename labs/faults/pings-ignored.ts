import type { Fault } from '@handwired/course';
import { setSysctlTo } from './parts.ts';

export const fault: Fault = {
  id: 'pings-ignored',
  title: 'A container answers no pings, by a setting of its kernel.',
  level: 2,
  needs: 'connectivity',
  excludes: [],
  cause: 'echo-ignored',
  symptoms: ['connectivity.ct1-ct2'],
  inject: ({ ct2 }) => [setSysctlTo('net.ipv4.icmp_echo_ignore_all', 1, ct2.name)],
  repair: ({ ct2 }) => [setSysctlTo('net.ipv4.icmp_echo_ignore_all', 0, ct2.name)],
  explanation:
    'The request arrives, no rule drops it, and no answer leaves. The kernel makes the answers to pings, and this one is set to make none. The path is fine, and everything but pings works.',
};
