import { $, type Fault } from '@handwired/course';

const table = 'firewalld';

/** What firewalld's table does with packets that are forwarded from a link in no zone. */
const ruleset = `table inet ${table} {
  chain filter_FORWARD {
    type filter hook forward priority filter + 10; policy accept;
    ct state { established, related } accept
    ct status dnat accept
    iifname "lo" accept
    ct state invalid drop
    reject with icmpx admin-prohibited
  }
}`;

export const fault: Fault = {
  id: 'firewalld',
  title: 'A firewall like firewalld refuses what the bridge sends on.',
  level: 2,
  needs: 'egress',
  excludes: ['native-chain-drops'],
  cause: 'firewalld-refuses',
  symptoms: ['egress.ct1', 'egress.ct2'],
  inject: () => [{ done: $`nft list table inet ${table}`, run: $`nft ${ruleset}` }],
  repair: () => [{ done: $`! nft list table inet ${table}`, run: $`nft delete table inet ${table}` }],
  explanation:
    "Such a firewall has a table of its own behind iptables' one. It lets pass what was translated to the inside and what belongs to a connection; what a link in no zone begins it refuses, whatever iptables accepted before.",
};
