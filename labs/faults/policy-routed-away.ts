import { $, type Fault } from '@handwired/course';

export const fault: Fault = {
  id: 'policy-routed-away',
  title: "A rule of policy routing sends a container's packets to a table that ends nowhere.",
  level: 3,
  needs: 'egress',
  excludes: [],
  cause: 'policy-rule-diverts',
  symptoms: ['egress.ct1', 'publish.outside'],
  inject: ({ ct1 }) => [
    { done: $`ip route show table 77 | grep -q unreachable`, run: $`ip route add unreachable default table 77` },
    { done: $`ip rule show from ${ct1.address} | grep -q .`, run: $`ip rule add from ${ct1.address} table 77` },
  ],
  repair: ({ ct1 }) => [
    { done: $`! ip rule show from ${ct1.address} | grep -q .`, run: $`ip rule del from ${ct1.address} table 77` },
    { done: $`! ip route show table 77 | grep -q .`, run: $`ip route flush table 77` },
  ],
  explanation:
    'The rules of policy routing decide which routing table is used. A rule for this source comes before the one for table main. ip route shows table main, where everything is right. ip rule shows why that table is not used.',
};
