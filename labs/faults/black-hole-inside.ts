import { $, type Fault } from '@handwired/course';

export const fault: Fault = {
  id: 'black-hole-inside',
  title: 'A route in a container drops what goes to its neighbour.',
  level: 2,
  needs: 'connectivity',
  excludes: [],
  cause: 'inner-route-diverts',
  symptoms: ['connectivity.ct1-ct2', 'connectivity.ct2-ct1'],
  inject: ({ ct1, ct2 }) => [
    {
      done: $`ip -n ${ct2.name} route show type blackhole ${ct1.address} | grep -q .`,
      run: $`ip -n ${ct2.name} route add blackhole ${ct1.address}`,
    },
  ],
  repair: ({ ct1, ct2 }) => [
    {
      done: $`! ip -n ${ct2.name} route show type blackhole ${ct1.address} | grep -q .`,
      run: $`ip -n ${ct2.name} route del blackhole ${ct1.address}`,
    },
  ],
  explanation:
    "The container's own requests to its neighbour fail at once, and its answers are dropped in silence. So the neighbour's requests arrive, and nothing comes back.",
};
