import { $, type Fault } from '@handwired/course';
import { world } from '@handwired/host';
import { uplink } from './parts.ts';

export const fault: Fault = {
  id: 'stray-route',
  title: 'A stray route on the lab host leads away from a container.',
  level: 2,
  needs: 'connectivity',
  excludes: [],
  cause: 'host-route-diverts',
  symptoms: ['connectivity.ct2-gateway'],
  inject: ({ ct2 }) => [
    {
      done: $`ip route show ${ct2.address} dev ${uplink} | grep -q .`,
      run: $`ip route add ${ct2.address} via ${world.uplink.gateway} dev ${uplink}`,
    },
  ],
  repair: ({ ct2 }) => [
    {
      done: $`! ip route show ${ct2.address} dev ${uplink} | grep -q .`,
      run: $`ip route del ${ct2.address}`,
    },
  ],
  explanation:
    "What the container sends arrives. The lab host's answer follows the most specific route. A route to this one address leads out of the uplink, although the container is on the bridge.",
};
