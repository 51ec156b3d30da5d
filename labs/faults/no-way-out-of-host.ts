import { $, type Fault } from '@handwired/course';
import { world } from '@handwired/host';
import { uplink } from './parts.ts';

export const fault: Fault = {
  id: 'no-way-out-of-host',
  title: 'The lab host itself has lost its default route.',
  level: 1,
  needs: 'egress',
  excludes: [],
  cause: 'host-default-route-missing',
  symptoms: ['egress.ct1', 'egress.ct2', 'publish.outside'],
  inject: () => [{ done: $`test -z "$(ip -4 route show default)"`, run: $`ip route del default`, repeat: true }],
  repair: () => [
    {
      done: $`ip -4 route show default | grep -q .`,
      run: $`ip route add default via ${world.uplink.gateway} dev ${uplink}`,
    },
  ],
  explanation:
    'The containers send to the lab host, and the lab host has no way out either. Try from the lab host first: it reaches its own networks and nothing else.',
};
