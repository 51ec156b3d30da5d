import type { Wrong } from './wrong.ts';

const quiet = '</dev/null >/dev/null 2>&1';

/** Faults after a right cleanup: one thing is left over, or one thing was removed that was not the learner's. */
export const leftovers: Wrong[] = [
  { name: 'a namespace', fails: 'cleanup.namespaces', add: 'ip netns add ct2' },
  { name: 'a namespace of another name', fails: 'cleanup.namespaces', add: 'ip netns add mine' },
  {
    name: 'a namespace kept by a mount elsewhere',
    fails: 'cleanup.namespaces',
    add: 'touch /srv/ns; unshare --net=/srv/ns true',
  },
  { name: "a plain file of a namespace's name", fails: 'cleanup.namespaces', add: 'touch /run/netns/ct1' },
  { name: 'a bridge', fails: 'cleanup.links', add: 'ip link add br0 type bridge' },
  { name: 'a cable', fails: 'cleanup.links', add: 'ip link add veth-ct1 type veth peer name veth-ct1-ns' },
  { name: 'an address on the uplink', fails: 'cleanup.links', add: 'ip addr add 172.18.0.1/16 dev enp1s0' },
  { name: 'a route', fails: 'cleanup.links', add: 'ip route add 172.18.0.0/16 via 203.0.113.1' },
  { name: 'a policy rule', fails: 'cleanup.links', add: 'ip rule add from 172.18.0.0/16 lookup 100' },
  { name: 'a rule of FORWARD', fails: 'cleanup.rules', add: 'iptables -A FORWARD -i br0 -j ACCEPT' },
  {
    name: 'a rule of iptables-legacy',
    fails: 'cleanup.rules',
    add: 'iptables-legacy -t nat -A POSTROUTING -s 172.18.0.0/16 -j MASQUERADE',
  },
  {
    name: 'an nft rule',
    fails: 'cleanup.rules',
    add: "nft 'add table inet lab; add chain inet lab f; add rule inet lab f tcp dport 8080 accept'",
  },
  {
    name: 'an nft set',
    fails: 'cleanup.rules',
    add: "nft 'add table inet lab; add set inet lab s { type ipv4_addr; }'",
  },
  { name: 'an own chain', fails: 'cleanup.rules', add: 'iptables -t nat -N DOCKER' },
  { name: 'a policy of DROP', fails: 'cleanup.rules', add: 'iptables -P INPUT DROP' },
  { name: 'the policy that was DROP is ACCEPT', fails: 'cleanup.kept', add: 'iptables -P FORWARD ACCEPT' },
  { name: 'a rule of ip6tables', fails: 'cleanup.rules', add: 'ip6tables -A FORWARD -i br0 -j ACCEPT' },
  {
    name: "another's rule a second time",
    fails: 'cleanup.rules',
    add: 'iptables -A INPUT -i enp1s0 -p udp --dport 137 -m comment --comment keep -j DROP',
  },
  { name: 'forwarding', fails: 'cleanup.sysctls', add: 'sysctl -w net.ipv4.ip_forward=1' },
  {
    name: 'forwarding off where it was on',
    fails: 'cleanup.sysctls',
    conditions: { 'ip-forward': '1' },
    add: 'sysctl -w net.ipv4.ip_forward=0',
  },
  { name: 'forwarding of one link', fails: 'cleanup.sysctls', add: 'sysctl -w net.ipv4.conf.enp1s0.forwarding=1' },
  { name: 'route_localnet for all', fails: 'cleanup.sysctls', add: 'sysctl -w net.ipv4.conf.all.route_localnet=1' },
  {
    name: 'bridge-nf-call-iptables',
    fails: 'cleanup.sysctls',
    add: 'sysctl -w net.bridge.bridge-nf-call-iptables=0',
  },
  {
    name: 'a resolv.conf in /etc/netns',
    fails: 'cleanup.files',
    add: 'mkdir -p /etc/netns/ct1; echo nameserver 1.1.1.1 >/etc/netns/ct1/resolv.conf',
  },
  {
    name: "the lab host's resolv.conf, written through",
    fails: 'cleanup.files',
    add: 'echo nameserver 1.1.1.1 >/etc/resolv.conf',
  },
  { name: 'a line in /etc/hosts', fails: 'cleanup.files', add: 'echo 172.18.0.11 ct1 >>/etc/hosts' },
  {
    name: 'a file in sysctl.d',
    fails: 'cleanup.files',
    add: 'mkdir -p /etc/sysctl.d; echo net.ipv4.ip_forward=1 >/etc/sysctl.d/90-lab.conf',
  },
  {
    name: 'a proxy',
    fails: 'cleanup.processes',
    add: `setsid --fork socat TCP-LISTEN:8080,fork TCP:172.18.0.11:80 ${quiet}
until ss -Hltn sport = 8080 | grep -q .; do :; done`,
  },
  {
    name: 'a name server',
    fails: 'cleanup.processes',
    add: 'dnsmasq --conf-file=/dev/null --listen-address=127.0.0.7 --bind-interfaces --no-hosts --pid-file=/run/lab-dns.pid',
  },
  {
    name: 'a process in a namespace without a name',
    fails: 'cleanup.processes',
    add: `ip netns add x; setsid --fork ip netns exec x sleep 100 ${quiet}
until [ -n "$(ip netns pids x)" ]; do :; done
ip netns del x`,
  },
  { name: 'INPUT is flushed', fails: 'cleanup.kept', add: 'iptables -F INPUT' },
  { name: 'the nat table is flushed', fails: 'cleanup.kept', add: 'iptables -t nat -F' },
  { name: 'all of nft is flushed', fails: 'cleanup.kept', add: 'nft flush ruleset' },
  { name: 'the table keep is gone', fails: 'cleanup.kept', add: 'nft delete table inet keep' },
  {
    name: "another's rule is gone from the table keep",
    fails: 'cleanup.kept',
    add: 'nft flush chain inet keep input',
  },
  { name: 'all namespaces are deleted', fails: 'cleanup.kept', add: 'ip -all netns del' },
  { name: 'all bridges are deleted', fails: 'cleanup.kept', add: 'ip link del br-keep' },
  { name: "another's bridge is down", fails: 'cleanup.links', add: 'ip link set br-keep down' },
  { name: "another's address is gone", fails: 'cleanup.kept', add: 'ip addr flush dev br-keep' },
  { name: 'the default route is gone', fails: 'cleanup.kept', add: 'ip route del default' },
  { name: "the lab host's resolv.conf is gone", fails: 'cleanup.kept', add: 'rm /etc/resolv.conf' },
];
