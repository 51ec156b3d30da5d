import { $, type Fault, not, sh } from '@handwired/course';
import { flushNeighbours } from './parts.ts';

export const fault: Fault = {
  id: 'duplicate-mac',
  title: 'Both containers have the same MAC address.',
  level: 2,
  needs: 'connectivity',
  excludes: [],
  cause: 'mac-doubled',
  symptoms: ['connectivity.ct1-ct2', 'connectivity.ct2-ct1'],
  inject: (plan) => {
    const { ct1, ct2, inner } = plan;
    const readMac = (name: string): string => $`ip netns exec ${name} cat /sys/class/net/${inner}/address`.cmd;
    return [
      {
        done: sh(`test "$(${readMac(ct1.name)})" = "$(${readMac(ct2.name)})"`),
        run: sh(
          `${$`ip -n ${ct2.name} link set ${inner} address`.cmd} "$(${readMac(ct1.name)})"; ${flushNeighbours(plan).cmd}`,
        ),
      },
    ];
  },
  repair: (plan) => {
    const { ct1, ct2, inner } = plan;
    const readMac = (name: string): string => $`ip netns exec ${name} cat /sys/class/net/${inner}/address`.cmd;
    return [
      {
        done: not(sh(`test "$(${readMac(ct1.name)})" = "$(${readMac(ct2.name)})"`)),
        run: sh(
          `${$`ip -n ${ct2.name} link set ${inner} address 02:42:ac:12:00:0c`.cmd}; ${flushNeighbours(plan).cmd}`,
        ),
      },
    ];
  },
  explanation:
    'A frame is for the host that has its MAC address. So each container takes frames for the other one as its own. The bridge learns the address at the port where it last saw it.',
};
