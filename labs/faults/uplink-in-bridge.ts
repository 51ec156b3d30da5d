import { $, type Fault } from '@handwired/course';
import { uplink } from './parts.ts';

export const fault: Fault = {
  id: 'uplink-in-bridge',
  title: 'The uplink is a port of the bridge.',
  level: 2,
  needs: 'egress',
  excludes: [],
  cause: 'uplink-enslaved',
  symptoms: ['bridge.uplink'],
  inject: ({ bridge }) => [
    {
      done: $`ip link show dev ${uplink} master ${bridge} | grep -q .`,
      run: $`ip link set ${uplink} master ${bridge}`,
    },
  ],
  repair: ({ bridge }) => [
    { done: $`! ip link show dev ${uplink} master ${bridge} | grep -q .`, run: $`ip link set ${uplink} nomaster` },
  ],
  explanation:
    'A port hands every frame to its bridge. So the address that is still on the uplink receives nothing any more. Pictures that draw a bridge beside an uplink mean routing between them, not a cable.',
};
