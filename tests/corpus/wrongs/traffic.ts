import type { Wrong } from './wrong.ts';

const nobody = 'lladdr 02:00:00:00:00:99 dev eth0 nud permanent';
const out = /^iptables -A FORWARD -i br0 ! -o br0/m;

/** Between the containers, out and back: faults that the configuration's shape does not show. */
export const traffic: Wrong[] = [
  {
    name: 'INPUT drops what comes from the bridge',
    fails: 'connectivity.ct1-gateway',
    add: 'iptables -A INPUT -i br0 -j DROP',
  },
  {
    name: 'ct2 has a wrong hardware address for the gateway',
    fails: 'connectivity.ct2-gateway',
    add: `ip -n ct2 neigh replace 172.18.0.1 ${nobody}`,
  },
  {
    name: 'ct1 has a wrong hardware address for ct2',
    fails: 'connectivity.ct1-ct2',
    add: `ip -n ct1 neigh replace 172.18.0.12 ${nobody}`,
  },
  {
    name: 'ct2 has a wrong hardware address for ct1',
    fails: 'connectivity.ct2-ct1',
    add: `ip -n ct2 neigh replace 172.18.0.11 ${nobody}`,
  },
  {
    name: 'the ports are isolated',
    fails: 'connectivity.ct1-ct2',
    add: 'for v in veth-ct1 veth-ct2; do bridge link set dev $v isolated on; done',
  },
  {
    name: 'a chain of the bridge family drops',
    fails: 'connectivity.ct2-ct1',
    add: 'nft "add table bridge x; add chain bridge x f { type filter hook forward priority 0; policy drop; }"',
  },
  {
    name: "ct1's cable drops on ingress",
    fails: 'connectivity.ct1-gateway',
    add: `nft 'add table netdev x; add chain netdev x i { type filter hook ingress device "veth-ct1" priority 0; policy drop; }'`,
  },
  {
    name: 'ct2 answers no echo',
    fails: 'connectivity.ct1-ct2',
    add: 'ip netns exec ct2 sysctl -qw net.ipv4.icmp_echo_ignore_all=1',
  },
  {
    name: 'ct1 has a firewall of its own against pings',
    fails: 'connectivity.ct2-ct1',
    add: 'ip netns exec ct1 iptables -A INPUT -p icmp --icmp-type echo-request -j DROP',
  },
  { name: 'ct2 lets nothing out', fails: 'connectivity.ct2-gateway', add: 'ip netns exec ct2 iptables -P OUTPUT DROP' },
  {
    name: "the lab host has ct2's address too",
    fails: 'connectivity.ct1-ct2',
    add: 'ip addr add 172.18.0.12/32 dev lo; ip -n ct2 link set eth0 arp off; ip -n ct1 neigh flush all',
  },
  {
    name: 'ct2 is rejected on its way out',
    fails: 'egress.ct2',
    add: 'iptables -I FORWARD -s 172.18.0.12 ! -o br0 -j REJECT',
  },
  {
    name: 'ct1 is dropped on its way out',
    fails: 'egress.ct1',
    add: 'iptables -I FORWARD -s 172.18.0.11 -o enp1s0 -j DROP',
  },
  {
    name: 'answers are dropped',
    fails: 'egress.ct2',
    add: 'iptables -I FORWARD -i enp1s0 -m conntrack --ctstate ESTABLISHED -j DROP',
  },
  {
    name: 'TCP alone is dropped',
    fails: 'egress.ct1',
    add: 'iptables -I FORWARD -p tcp --dport 80 ! -o br0 -j DROP',
  },
  { name: 'pings alone are dropped', fails: 'egress.ct1', add: 'iptables -I FORWARD -p icmp ! -o br0 -j DROP' },
  { name: 'a blackhole in ct1', fails: 'egress.ct1', add: 'ip -n ct1 route add blackhole 8.0.0.0/8' },
  { name: 'a policy rule in ct2', fails: 'egress.ct2', add: 'ip -n ct2 rule add to 93.184.216.34 prohibit' },
  {
    name: 'a policy rule on the lab host',
    fails: 'egress.ct1',
    add: 'ip rule add from 172.18.0.0/16 to 8.8.8.8 prohibit priority 10',
  },
  { name: 'a blackhole on the lab host', fails: 'egress.ct1', add: 'ip route add blackhole 93.184.216.34' },
  { name: 'the lab host has no default route', fails: 'egress.ct1', add: 'ip route del default' },
  {
    name: "SNAT to a neighbour's address",
    fails: 'egress.masquerade',
    swap: [/-j MASQUERADE$/m, '-j SNAT --to-source 203.0.113.77'],
  },
  {
    name: 'SNAT to the gateway',
    fails: 'egress.masquerade',
    swap: [/-j MASQUERADE$/m, '-j SNAT --to-source 172.18.0.1'],
  },
  {
    name: 'only ct1 is translated',
    fails: 'egress.ct2',
    swap: [/-s 172\.18\.0\.0\/16 ! -o br0/, '-s 172.18.0.11 ! -o br0'],
  },
  {
    name: 'the translation is in ct1',
    fails: 'egress.masquerade',
    swap: [/^(iptables -t nat -A POSTROUTING -s 172\.18\.0\.0\/16 ! -o br0)/m, 'ip netns exec ct1 $1'],
  },
  {
    name: 'the translation waits for a link that is not there',
    fails: 'egress.masquerade',
    recipes: {},
    swap: [/-o enp1s0 -j MASQUERADE/, '-o ethX -j MASQUERADE'],
  },
  {
    name: 'forwarding is switched on in ct1',
    fails: 'egress.ct1',
    swap: [/^sysctl -w net\.ipv4\.ip_forward=1$/m, 'ip netns exec ct1 sysctl -w net.ipv4.ip_forward=1'],
  },
  {
    name: 'forwarding for the bridge alone',
    fails: 'egress.ct1',
    swap: [/net\.ipv4\.ip_forward=1/, 'net.ipv4.conf.br0.forwarding=1'],
  },
  { name: 'forwarding is switched off again', fails: 'egress.ct1', add: 'sysctl -w net.ipv4.ip_forward=0' },
  {
    name: 'a server in ct1 takes all requests to port 80',
    fails: 'egress.ct2',
    add: 'iptables -t nat -I PREROUTING -i br0 -p tcp --dport 80 ! -d 172.18.0.11 -j DNAT --to-destination 172.18.0.11:80',
  },
  {
    name: 'the accepts are in iptables-legacy, the DROP in iptables-nft',
    fails: 'egress.ct1',
    swap: [out, 'iptables-legacy -A FORWARD -i br0 ! -o br0'],
  },
  {
    name: "an accept in a table of its own does not outweigh iptables' DROP",
    fails: 'egress.ct1',
    swap: [
      /^iptables -A FORWARD -i br0 ! -o br0.*$/m,
      "nft 'add table ip x; add chain ip x f { type filter hook forward priority -10; }; add rule ip x f iifname br0 accept'",
    ],
  },
  {
    name: 'the rules come after a DROP of all',
    fails: 'egress.ct1',
    swap: [/^iptables -A FORWARD -i br0 -o br0/m, 'iptables -A FORWARD ! -o br0 -j DROP\n$&'],
  },
  {
    name: 'an own chain that nothing jumps to',
    fails: 'egress.ct1',
    swap: [out, 'iptables -N LAB; iptables -A LAB -i br0 ! -o br0'],
  },
  {
    name: 'a rule that waits for bridge-nf 1',
    fails: 'connectivity.conditions',
    hidden: true,
    conditions: { 'forward-policy': 'accept', 'bridge-nf': '0' },
    add: 'iptables -I FORWARD -i br0 -o br0 -p icmp -j DROP',
  },
  {
    name: 'nft: a set without the subnet',
    fails: 'egress.masquerade',
    recipes: { egress: 2 },
    swap: [/elements = \{ 172\.18/, 'elements = { 172.19'],
  },
  {
    name: 'a mark that nobody sets',
    fails: 'egress.masquerade',
    recipes: { egress: 1 },
    swap: [/--set-mark 7/, '--set-mark 8'],
  },
  {
    name: 'a routing table of their own without a way out',
    fails: 'egress.ct1',
    recipes: { egress: 8 },
    swap: [/^ip route add default .* table 100$/m, 'ip route add unreachable default table 100'],
  },
];
