import type { Fault } from '@handwired/course';
import { setSysctlTo } from './parts.ts';

export const fault: Fault = {
  id: 'short-lived-packets',
  title: "A container's packets may pass no router.",
  level: 3,
  needs: 'egress',
  excludes: [],
  cause: 'ttl-too-small',
  symptoms: ['egress.ct1'],
  inject: ({ ct1 }) => [setSysctlTo('net.ipv4.ip_default_ttl', 1, ct1.name)],
  repair: ({ ct1 }) => [setSysctlTo('net.ipv4.ip_default_ttl', 64, ct1.name)],
  explanation:
    "Each router subtracts one from a packet's time to live, and drops the packet when nothing is left. With a time to live of 1, the container reaches its neighbours and the lab host, but nothing behind it. tcpdump -v shows ttl 1.",
};
