import type { Wrong } from './wrong.ts';

const ofCt1 = '/etc/netns/ct1/resolv.conf';
const ofCt2 = '/etc/netns/ct2/resolv.conf';

/** Names: the containers', and the lab host's own. */
export const names: Wrong[] = [
  {
    name: 'written to /etc/resolv.conf in there, as in the seed',
    fails: 'dns.host-unchanged',
    swap: [
      /^mkdir -p \/etc\/netns(.|\n)*?ct2\/resolv.conf$/m,
      `for n in ct1 ct2; do ip netns exec $n bash -lc 'printf "nameserver 1.1.1.1\\n" > /etc/resolv.conf'; done`,
    ],
  },
  {
    name: "the lab host's resolv.conf is another",
    fails: 'dns.host-unchanged',
    add: 'rm /etc/resolv.conf; echo nameserver 1.1.1.1 >/etc/resolv.conf',
  },
  {
    name: "the lab host's resolv.conf, a plain file, is another",
    fails: 'dns.host-unchanged',
    conditions: { resolver: 'file' },
    add: 'echo nameserver 1.1.1.1 >/etc/resolv.conf',
  },
  {
    name: 'the site stands in /etc/hosts',
    fails: 'dns.host-unchanged',
    add: 'echo 93.184.216.34 example.com >>/etc/hosts',
  },
  {
    name: 'nsswitch.conf has another order',
    fails: 'dns.host-unchanged',
    add: "sed -i 's/^hosts:.*/hosts: dns files/' /etc/nsswitch.conf",
  },
  {
    name: "the lab host's questions are dropped",
    fails: 'dns.host-works',
    add: 'iptables -A OUTPUT -p udp --dport 53 -j DROP; iptables -A OUTPUT -p tcp --dport 53 -j DROP',
  },
  { name: "the lab host's stub has ended", fails: 'dns.host-works', add: 'kill $(cat /run/handwired/stub.pid)' },
  {
    name: 'questions are dropped on their way',
    fails: 'dns.ct1',
    add: 'iptables -I FORWARD -p udp --dport 53 -j DROP',
  },
  {
    name: 'HTTPS is dropped on its way',
    fails: 'dns.https',
    add: 'iptables -I FORWARD -p tcp --dport 443 -j DROP',
  },
  {
    name: 'HTTPS goes to another port',
    fails: 'dns.https',
    add: 'iptables -t nat -I PREROUTING -i br0 -p tcp --dport 443 -j DNAT --to-destination 93.184.216.34:80',
  },
  {
    name: 'the rules of FORWARD accept TCP and pings, and no questions',
    fails: 'dns.conditions',
    hidden: true,
    conditions: { 'forward-policy': 'accept', 'bridge-nf': '0' },
    swap: [
      /^iptables -A FORWARD -i br0 ! -o br0/m,
      'iptables -A FORWARD -i br0 ! -o br0 -p icmp -j ACCEPT\niptables -A FORWARD -i br0 ! -o br0 -p tcp',
    ],
  },
  { name: "no resolv.conf of ct1's own, with a stub on the lab host", fails: 'dns.ct1', add: `rm ${ofCt1}` },
  { name: 'an empty resolv.conf', fails: 'dns.ct2', add: `: >${ofCt2}` },
  { name: 'a resolv.conf with another word', fails: 'dns.ct1', add: `echo server 1.1.1.1 >${ofCt1}` },
  {
    name: "the lab host's loopback as name server",
    fails: 'dns.ct2',
    add: `echo nameserver 127.0.0.53 >${ofCt2}`,
  },
  {
    name: 'the gateway as name server, where nobody listens',
    fails: 'dns.ct1',
    add: `echo nameserver 172.18.0.1 >${ofCt1}`,
  },
  { name: 'the folder is named after the cable', fails: 'dns.ct1', add: 'mv /etc/netns/ct1 /etc/netns/veth-ct1' },
  {
    name: 'a name server that makes its answers up',
    deceives: true,
    fails: 'dns.ct1',
    recipes: { dns: 1 },
    swap: [/--server=8\.8\.8\.8/, '--address=/example.com/93.184.216.34'],
  },
  {
    name: 'a name server that gives false answers',
    fails: 'dns.ct2',
    recipes: { dns: 1 },
    swap: [/--server=8\.8\.8\.8/, '--address=/example.com/172.18.0.11'],
  },
  {
    name: 'a name server that asks nobody',
    fails: 'dns.ct1',
    recipes: { dns: 1 },
    swap: [/--server=8\.8\.8\.8/, '--server=9.9.9.9'],
  },
  {
    name: 'a name server on another bridge',
    fails: 'dns.ct1',
    recipes: { dns: 1 },
    swap: [/--interface=br0/, '--interface=br-keep'],
  },
  {
    name: '127.0.0.11 without its translation',
    fails: 'dns.ct1',
    recipes: { dns: 2 },
    swap: [/^ip netns exec ct1 iptables .*$/m, ''],
  },
  {
    name: '127.0.0.11 translated to a port where nobody listens',
    fails: 'dns.ct2',
    recipes: { dns: 2 },
    swap: [/^(ip netns exec ct2 iptables .*):5300$/m, '$1:5301'],
  },
  {
    name: "ct1's dnsmasq runs in ct2",
    fails: 'dns.ct1',
    recipes: { dns: 3 },
    swap: [/^ip netns exec ct1 dnsmasq/m, 'ip netns exec ct2 dnsmasq'],
  },
  {
    name: 'the questions are translated to a host that is no name server',
    fails: 'dns.ct2',
    recipes: { dns: 5 },
    swap: [/dnat to 1\.1\.1\.1/, 'dnat to 203.0.113.1'],
  },
];
