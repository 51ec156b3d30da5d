import { $, type Fault } from '@handwired/course';
import { world } from '@handwired/host';

const [internet] = world.resolvers;

export const fault: Fault = {
  id: 'black-hole',
  title: 'A route on the lab host drops what goes to one address of the internet.',
  level: 2,
  needs: 'egress',
  excludes: [],
  cause: 'host-route-diverts',
  symptoms: ['egress.ct1', 'egress.ct2'],
  inject: () => [
    {
      done: $`ip route show type blackhole ${internet} | grep -q .`,
      run: $`ip route add blackhole ${internet}`,
    },
  ],
  repair: () => [
    {
      done: $`! ip route show type blackhole ${internet} | grep -q .`,
      run: $`ip route del blackhole ${internet}`,
    },
  ],
  explanation:
    'The most specific route wins. This one drops packets to a single address and reports nothing. Every other address is reached, so it looks as if that one host were down.',
};
