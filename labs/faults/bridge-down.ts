import { $, type Fault, isUp, not } from '@handwired/course';

export const fault: Fault = {
  id: 'bridge-down',
  title: 'The bridge is switched off.',
  level: 1,
  needs: 'connectivity',
  excludes: [],
  cause: 'bridge-down',
  symptoms: ['bridge.up'],
  inject: ({ bridge }) => [{ done: not(isUp(bridge)), run: $`ip link set ${bridge} down` }],
  repair: ({ bridge }) => [{ done: isUp(bridge), run: $`ip link set ${bridge} up` }],
  explanation:
    'A bridge that is down carries no frame between its ports, and the route to its subnet is not used. So the containers reach neither each other nor the host, and nothing behind it.',
};
