import type { Fault } from '@handwired/course';
import { setSysctlTo } from './parts.ts';

export const fault: Fault = {
  id: 'forwarding-off-for-bridge',
  title: 'Forwarding is off for the one interface by which the containers come in.',
  level: 2,
  needs: 'egress',
  excludes: ['forwarding-off'],
  cause: 'forwarding-off-on-interface',
  symptoms: ['egress.ct1', 'egress.ct2', 'publish.outside'],
  inject: ({ bridge }) => [setSysctlTo(`net.ipv4.conf.${bridge}.forwarding`, 0)],
  repair: ({ bridge }) => [setSysctlTo(`net.ipv4.conf.${bridge}.forwarding`, 1)],
  explanation:
    'The setting of the interface that a packet came in by decides whether the packet is forwarded. Writing ip_forward only writes that setting for all interfaces at once. So net.ipv4.ip_forward is 1, and packets that come in by the bridge are still not forwarded.',
};
