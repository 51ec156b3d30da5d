import { $, type Fault, not } from '@handwired/course';

const rule = (port: number): string[] => ['-p', 'tcp', '-m', 'tcp', '--dport', String(port), '-j', 'DROP'];

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
      done: $`ip netns exec ${ct1.name} iptables -C INPUT ${rule(containerPort)}`,
      run: $`ip netns exec ${ct1.name} iptables -I INPUT ${rule(containerPort)}`,
    },
  ],
  repair: ({ ct1, containerPort }) => [
    {
      done: not($`ip netns exec ${ct1.name} iptables -C INPUT ${rule(containerPort)}`),
      run: $`ip netns exec ${ct1.name} iptables -D INPUT ${rule(containerPort)}`,
      repeat: true,
    },
  ],
  tells:
    "Each network namespace has rules of its own. The request arrives on the container's link and ends before its server; the lab host's rules say nothing of it.",
};
