import { $, type Fault } from '@handwired/course';
import { deleteRule, insertRule } from './parts.ts';

const rule = ['-p', 'icmp', '-m', 'icmp', '--icmp-type', '3/4', '-j', 'DROP'];

export const fault: Fault = {
  id: 'silent-shortening',
  title: 'The bridge takes short packets, and the message that says so is dropped.',
  level: 3,
  needs: 'egress',
  excludes: [],
  cause: 'mtu-too-small',
  symptoms: ['egress.ct1', 'egress.ct2'],
  inject: ({ bridge }) => [
    insertRule('filter', 'OUTPUT', rule),
    // This is shorter than the MTU of short-uplink, because a kernel remembers a path's MTU for ten minutes.
    { done: $`ip link show dev ${bridge} | grep -q 'mtu 400 '`, run: $`ip link set ${bridge} mtu 400` },
  ],
  repair: ({ bridge }) => [
    { done: $`ip link show dev ${bridge} | grep -q 'mtu 1500 '`, run: $`ip link set ${bridge} mtu 1500` },
    deleteRule('filter', 'OUTPUT', rule),
  ],
  explanation:
    'A router that must not fragment a packet drops it and tells the sender by an ICMP message, fragmentation needed. Where that message is filtered, the sender keeps sending packets that are too long. Only long packets are lost.',
};
