import { $, type Fault } from '@handwired/course';

export const fault: Fault = {
  id: 'forwarding-off',
  title: 'The lab host does not forward IPv4 packets.',
  level: 1,
  needs: 'egress',
  excludes: [],
  cause: 'ip-forward-off',
  symptoms: ['egress.ct1', 'egress.ct2', 'publish.outside'],
  inject: () => [{ done: $`test "$(sysctl -n net.ipv4.ip_forward)" = 0`, run: $`sysctl -w net.ipv4.ip_forward=0` }],
  repair: () => [{ done: $`test "$(sysctl -n net.ipv4.ip_forward)" = 1`, run: $`sysctl -w net.ipv4.ip_forward=1` }],
  explanation:
    'A host is no router until it is configured as one. A packet that comes in by one interface and is for somebody else is dropped before FORWARD, and nothing reports it. What the host itself sends, and what the bridge carries between its ports, is not forwarded and still works.',
};
