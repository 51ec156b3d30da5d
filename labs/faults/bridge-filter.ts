import { $, type Fault } from '@handwired/course';

const table = 'switch';

export const fault: Fault = {
  id: 'bridge-filter',
  title: 'A filter of the bridge itself drops pings between two ports.',
  level: 3,
  needs: 'connectivity',
  excludes: [],
  cause: 'bridge-family-drops',
  symptoms: ['connectivity.ct1-ct2'],
  inject: ({ ct2 }) => [
    {
      done: $`nft list table bridge ${table}`,
      run: $`nft ${`add table bridge ${table}; add chain bridge ${table} across { type filter hook forward priority 0; }; add rule bridge ${table} across ip daddr ${ct2.address} icmp type echo-request drop`}`,
    },
  ],
  repair: () => [{ done: $`! nft list table bridge ${table}`, run: $`nft delete table bridge ${table}` }],
  explanation:
    'Tables of the family bridge (or ebtables) filter what a bridge passes from port to port, before any rule for IP is asked. ARP and other packets pass. iptables does not show these tables.',
};
