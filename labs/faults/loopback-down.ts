import { $, type Fault, isUp, not } from '@handwired/course';

export const fault: Fault = {
  id: 'loopback-down',
  title: "A container's loopback is switched off.",
  level: 1,
  needs: 'addressing',
  excludes: [],
  cause: 'loopback-down',
  symptoms: ['addressing.ct2-link'],
  inject: ({ ct2 }) => [{ done: not(isUp('lo', ct2.name)), run: $`ip -n ${ct2.name} link set lo down` }],
  repair: ({ ct2 }) => [{ done: isUp('lo', ct2.name), run: $`ip -n ${ct2.name} link set lo up` }],
  explanation:
    'In a new namespace lo is down. Everything that a container sends to itself goes through lo, whether to 127.0.0.1 or to its own address, and is lost. Others can still reach the container.',
};
