import { $, type Fault } from '@handwired/course';

const table = 'balancer';

export const fault: Fault = {
  id: 'native-translation-first',
  title: 'A native nft chain of a lower priority translates the port first.',
  level: 3,
  needs: 'publish',
  excludes: [],
  cause: 'nft-dnat-first',
  symptoms: ['publish.outside'],
  inject: ({ ct2, containerPort, hostPort }) => [
    {
      done: $`nft list table ip ${table}`,
      run: $`nft ${`add table ip ${table}; add chain ip ${table} spread { type nat hook prerouting priority -110; }; add rule ip ${table} spread tcp dport ${hostPort} fib daddr type local dnat to ${ct2.address}:${containerPort}`}`,
    },
  ],
  repair: () => [{ done: $`! nft list table ip ${table}`, run: $`nft delete table ip ${table}` }],
  explanation:
    'The nat chains of a hook are asked in the order of their priorities, and the first translation of a connection holds. Priority -110 comes before the -100 of iptables. So the rule in iptables is right, but it is never asked and its counter does not change.',
};
