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
    'Such a firewall has a table of its own, which is asked after those of iptables. It accepts packets that were translated by DNAT and packets of known connections. It refuses new connections from a link that is in no zone, even if iptables accepted them before.',
};
