import { $, type Fault, not } from '@handwired/course';

const createRule = (port: number): string[] => ['-p', 'tcp', '-m', 'tcp', '--dport', String(port), '-j', 'DROP'];

export const fault: Fault = {
  id: 'container-firewall',
  title: 'A rule inside the container drops requests to its own server.',
  level: 2,
  needs: 'publish',
  excludes: [],
  cause: 'container-drops-in',
  symptoms: ['publish.server'],
  inject: ({ ct1, containerPort }) => [
    {
      done: $`ip netns exec ${ct1.name} iptables -C INPUT ${createRule(containerPort)}`,
      run: $`ip netns exec ${ct1.name} iptables -I INPUT ${createRule(containerPort)}`,
    },
  ],
  repair: ({ ct1, containerPort }) => [
    {
      done: not($`ip netns exec ${ct1.name} iptables -C INPUT ${createRule(containerPort)}`),
      run: $`ip netns exec ${ct1.name} iptables -D INPUT ${createRule(containerPort)}`,
      repeat: true,
    },
  ],
  explanation:
    "Each network namespace has firewall rules of its own. The request arrives on the container's link and is dropped before it reaches the server. The lab host's rules do not show that.",
};
