import { $, type Fault } from '@handwired/course';
import { uplink } from './parts.ts';

export const fault: Fault = {
  id: 'short-uplink',
  title: 'The uplink takes shorter packets than the containers send.',
  level: 3,
  needs: 'egress',
  excludes: [],
  cause: 'mtu-too-small',
  symptoms: ['egress.ct1', 'egress.ct2'],
  inject: () => [{ done: $`ip link show dev ${uplink} | grep -q 'mtu 600 '`, run: $`ip link set ${uplink} mtu 600` }],
  repair: () => [{ done: $`ip link show dev ${uplink} | grep -q 'mtu 1500 '`, run: $`ip link set ${uplink} mtu 1500` }],
  explanation:
    "The lab host knows its uplink's MTU and asks others for short packets. The containers know only their own link, and ask for long ones. Pings, new connections and short answers pass, but a long answer never arrives.",
};
