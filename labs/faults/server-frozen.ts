import { $, type Fault, not, type Sh, sh } from '@handwired/course';
import type { Container } from '@handwired/host';

const findPids = ({ name }: Container, port: number): Sh =>
  $`ip netns exec ${name} fuser ${`${port}/tcp`} 2> /dev/null`;

/** A test: one of these processes is stopped, as by SIGSTOP (proc(5), State). */
const isFrozen = (ct: Container, port: number): Sh =>
  sh(`for pid in $(${findPids(ct, port).cmd}); do grep -h '^State:.T' "/proc/$pid/status"; done | grep -q .`);

export const fault: Fault = {
  id: 'server-frozen',
  title: 'The server is there and does not run on: it was stopped by a signal.',
  level: 2,
  needs: 'publish',
  excludes: ['server-stopped', 'server-on-loopback', 'server-on-another-port', 'left-running'],
  cause: 'server-silent',
  symptoms: ['publish.server'],
  inject: ({ ct1, containerPort }) => [
    {
      done: isFrozen(ct1, containerPort),
      run: $`ip netns exec ${ct1.name} fuser -sk -STOP ${`${containerPort}/tcp`}`,
    },
  ],
  repair: ({ ct1, containerPort }) => [
    {
      done: not(isFrozen(ct1, containerPort)),
      run: $`ip netns exec ${ct1.name} fuser -sk -CONT ${`${containerPort}/tcp`}`,
    },
  ],
  explanation:
    "The kernel accepts connections for a listening socket by itself, as many as the socket's queue holds. So a client is connected, sends its request, and waits for a program that does not run. ps shows the state T.",
};
