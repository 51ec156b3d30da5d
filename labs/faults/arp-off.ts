import { $, type Fault, not, sh } from '@handwired/course';
import { flushNeighbours } from './parts.ts';

export const fault: Fault = {
  id: 'arp-off',
  title: "A container's link does not use ARP.",
  level: 2,
  needs: 'connectivity',
  excludes: [],
  cause: 'arp-off',
  symptoms: ['connectivity.ct1-ct2', 'connectivity.ct2-gateway'],
  inject: (plan) => [
    {
      done: $`ip -n ${plan.ct2.name} link show dev ${plan.inner} | grep -q NOARP`,
      run: sh(`${$`ip -n ${plan.ct2.name} link set ${plan.inner} arp off`.cmd}; ${flushNeighbours(plan).cmd}`),
    },
  ],
  repair: ({ ct2, inner }) => [
    {
      done: not($`ip -n ${ct2.name} link show dev ${inner} | grep -q NOARP`),
      run: $`ip -n ${ct2.name} link set ${inner} arp on`,
    },
  ],
  explanation:
    'Without ARP the container does not announce its MAC address, and does not ask for that of others. Whoever wants to reach it asks by ARP and gets no answer, so their neighbour entry becomes FAILED.',
};
