import { $, type Fault } from '@handwired/course';
import { uplink } from './parts.ts';

/** A table with a name that a learner could have chosen. */
const table = 'transit';

export const fault: Fault = {
  id: 'native-chain-drops',
  title: 'A chain of native nft drops what leaves the bridge.',
  level: 2,
  needs: 'egress',
  excludes: [],
  cause: 'nft-chain-drops',
  symptoms: ['egress.ct1', 'egress.ct2', 'publish.outside'],
  inject: ({ bridge }) => [
    {
      done: $`nft list table inet ${table}`,
      run: $`nft ${`add table inet ${table}; add chain inet ${table} outward { type filter hook forward priority 5; }; add rule inet ${table} outward iifname "${bridge}" oifname "${uplink}" drop`}`,
    },
  ],
  repair: () => [{ done: $`! nft list table inet ${table}`, run: $`nft delete table inet ${table}` }],
  explanation:
    'Several chains can be attached to one hook, in the order of their priorities, and a packet must pass all of them. An ACCEPT ends only its own chain, but a drop is final. iptables shows its own chains, and not this one.',
};
