import type { Fault } from '@handwired/course';
import { setSysctlTo } from './parts.ts';

export const fault: Fault = {
  id: 'no-route-for-loopback',
  title: 'The kernel may not send what comes from 127.0.0.1 into the bridge.',
  level: 2,
  needs: 'publish',
  excludes: [],
  cause: 'route-localnet-missing',
  symptoms: ['publish.loopback'],
  inject: ({ bridge }) => [setSysctlTo(`net.ipv4.conf.${bridge}.route_localnet`, 0)],
  repair: ({ bridge }) => [setSysctlTo(`net.ipv4.conf.${bridge}.route_localnet`, 1)],
  explanation:
    'OUTPUT translates the destination. Then routing finds a packet from 127.0.0.1 that is to leave by a link. The kernel refuses such a source on every link but lo, unless route_localnet is set on that link.',
};
