import { defaultPlan } from '@handwired/host';
import { listFaultCommands, faults } from '@handwired/labs/faults';

/** One fault in a right build by `lab build`, and the cause that must be named for it. */
export interface Breakage {
  cause: string;
  name: string;
  script: string;
  /** Takes away what is left when the mend was typed: a mend ends what is wrong, and leaves what is only strange. */
  rest?: string;
}

const U = 'enp1s0';
const S = '172.18.0.0/16';
const mark = '-m comment --comment handwired';
/** Deletes a rule, also one that a repair put back without the mark. */
const without = (rule: string): string =>
  [rule, rule.replace(`${mark} `, '')]
    .map((one) => `while ${one.replace(' -A ', ' -D ')} 2>/dev/null; do :; done`)
    .join('\n');
const dnat = (chain: string): string =>
  `while rule=$(iptables -t nat -S ${chain} | grep -m1 'dport 8080'); do iptables -t nat -D \${rule#-A }; done`;
const masquerade = without(`iptables -t nat -A POSTROUTING -s ${S} ! -o br0 ${mark} -j MASQUERADE`);
const stop = 'ip netns exec ct1 fuser -sk 80/tcp; while ip netns exec ct1 ss -Hltn sport = 80 | grep -q .; do :; done';
const serve = (argv: string): string => `${stop}
cd /srv/ct1; setsid --fork ip netns exec ct1 python3 -m http.server ${argv} </dev/null >/dev/null 2>&1
until ip netns exec ct1 ss -Hltn | grep -q ':${argv.split(' ')[0] ?? ''} '; do :; done`;

/** The kernel takes the links of a namespace away after the command has returned (cleanup_net). */
const gone = 'while ip link show veth-ct2 >/dev/null 2>&1; do :; done';

/** On a lab host whose FORWARD policy is ACCEPT, bridge-nf 0. */
export const underAccept: Breakage[] = [
  { cause: 'namespace-missing', name: 'ct2 is deleted', script: `ip netns del ct2\n${gone}` },
  {
    cause: 'namespace-plain-file',
    name: "ct2's name is a plain file",
    script: `umount /run/netns/ct2\n${gone}`,
  },
  {
    cause: 'namespace-shared',
    name: 'ct2 is ct1 under another name',
    script: `ip netns del ct2; touch /run/netns/ct2; mount --bind /run/netns/ct1 /run/netns/ct2\n${gone}`,
  },
  { cause: 'bridge-missing', name: 'br0 is deleted', script: 'ip link del br0' },
  { cause: 'bridge-down', name: 'br0 is down', script: 'ip link set br0 down' },
  { cause: 'bridge-address-missing', name: 'br0 has no address', script: 'ip addr flush dev br0' },
  {
    cause: 'bridge-address-wrong-mask',
    name: "br0's prefix is /32",
    script: 'ip addr flush dev br0; ip addr add 172.18.0.1/32 dev br0',
  },
  { cause: 'veth-missing', name: "ct1's cable is gone", script: 'ip link del veth-ct1' },
  { cause: 'veth-host-end-down', name: "ct2's host end is down", script: 'ip link set veth-ct2 down' },
  { cause: 'veth-in-no-bridge', name: "ct1's host end is in no bridge", script: 'ip link set veth-ct1 nomaster' },
  {
    cause: 'veth-in-wrong-bridge',
    name: "ct2's host end is in another bridge",
    // With an address of its own: a bridge without one is left with all zeros when it loses its last port.
    script:
      'ip link add br9 address 02:00:00:00:00:09 type bridge; ip link set br9 up; ip link set veth-ct2 master br9',
  },
  {
    cause: 'veth-port-isolated',
    name: 'isolated ports',
    script: 'bridge link set dev veth-ct1 isolated on; bridge link set dev veth-ct2 isolated on',
  },
  {
    cause: 'inner-name-wrong',
    name: 'the inner end is net0',
    script:
      'ip -n ct1 link set eth0 down; ip -n ct1 link set eth0 name net0; ip -n ct1 link set net0 up; ip -n ct1 route add default via 172.18.0.1',
  },
  { cause: 'inner-down', name: 'eth0 of ct1 is down', script: 'ip -n ct1 link set eth0 down' },
  { cause: 'loopback-down', name: 'lo of ct2 is down', script: 'ip -n ct2 link set lo down' },
  { cause: 'address-missing', name: 'ct2 has no address', script: 'ip -n ct2 addr flush dev eth0' },
  {
    cause: 'address-wrong',
    name: 'ct2 has .22',
    script:
      'ip -n ct2 addr flush dev eth0; ip -n ct2 addr add 172.18.0.22/16 dev eth0; ip -n ct2 route add default via 172.18.0.1',
  },
  {
    cause: 'address-wrong-mask',
    name: 'ct1 has /32',
    script:
      'ip -n ct1 addr flush dev eth0; ip -n ct1 addr add 172.18.0.11/32 dev eth0; ip -n ct1 route add 172.18.0.1 dev eth0; ip -n ct1 route add default via 172.18.0.1',
  },
  { cause: 'address-doubled', name: "ct2 has ct1's address too", script: 'ip -n ct2 addr add 172.18.0.11/32 dev lo' },
  {
    cause: 'mac-doubled',
    name: "ct2 has ct1's MAC address",
    script: 'ip -n ct2 link set eth0 address $(ip netns exec ct1 cat /sys/class/net/eth0/address)',
  },
  { cause: 'default-route-missing', name: 'ct1 has no default route', script: 'ip -n ct1 route del default' },
  {
    cause: 'default-route-wrong',
    name: "ct2's gateway is ct1",
    script: 'ip -n ct2 route replace default via 172.18.0.11',
  },
  {
    cause: 'default-route-wrong',
    name: "ct1's default route leads out of lo",
    script: 'ip -n ct1 route replace default dev lo',
  },
  {
    cause: 'arp-off',
    name: 'ARP is off in ct2',
    script: 'ip -n ct2 link set eth0 arp off; ip -n ct1 neigh flush all; ip neigh flush dev br0',
  },
  {
    cause: 'neighbour-entry-wrong',
    name: 'a permanent wrong neighbour in ct1',
    script: 'ip -n ct1 neigh replace 172.18.0.12 lladdr 02:00:00:00:00:99 dev eth0 nud permanent',
  },
  {
    cause: 'policy-rule-diverts',
    name: 'a rule sends what comes from ct1 to an empty table',
    script: 'ip rule add from 172.18.0.11 table 77; ip route add blackhole default table 77',
  },
  { cause: 'host-route-diverts', name: 'a black hole for 8.8.8.8', script: 'ip route add blackhole 8.8.8.8/32' },
  {
    cause: 'host-route-diverts',
    name: 'a stray route to ct2',
    script: `ip route add 172.18.0.12/32 via 203.0.113.1 dev ${U}`,
  },
  { cause: 'inner-route-diverts', name: 'a black hole in ct2', script: 'ip -n ct2 route add blackhole 172.18.0.11/32' },
  { cause: 'ip-forward-off', name: 'no forwarding', script: 'sysctl -qw net.ipv4.ip_forward=0' },
  {
    cause: 'forwarding-off-on-interface',
    name: 'no forwarding for br0',
    script: 'sysctl -qw net.ipv4.conf.br0.forwarding=0',
  },
  { cause: 'masquerade-missing', name: 'no translation', script: masquerade },
  {
    cause: 'masquerade-wrong-device',
    name: 'MASQUERADE for a link that is not there',
    script: `${masquerade}
iptables -t nat -A POSTROUTING -s ${S} -o ethX -j MASQUERADE`,
  },
  {
    cause: 'masquerade-wrong-subnet',
    name: 'MASQUERADE for another subnet',
    script: `${masquerade}
iptables -t nat -A POSTROUTING -s 172.19.0.0/16 -o ${U} -j MASQUERADE`,
  },
  {
    cause: 'masquerade-wrong-protocol',
    name: 'MASQUERADE for UDP only',
    script: `${masquerade}
iptables -t nat -A POSTROUTING -s ${S} -o ${U} -p udp -j MASQUERADE`,
  },
  {
    cause: 'masquerade-shadowed',
    name: 'an ACCEPT before MASQUERADE',
    script: `iptables -t nat -I POSTROUTING -s ${S} -o ${U} -j ACCEPT`,
  },
  {
    cause: 'snat-wrong-address',
    name: 'SNAT to an address that is not ours',
    script: `${masquerade}
iptables -t nat -A POSTROUTING -s ${S} -o ${U} -j SNAT --to-source 203.0.113.99`,
  },
  {
    cause: 'forward-rule-drops',
    name: 'a REJECT before the accepts',
    script: `iptables -I FORWARD -i br0 -o ${U} -j REJECT`,
  },
  {
    cause: 'forward-rule-drops',
    name: 'a DROP in a chain of its own, by iptables-legacy',
    script: `iptables-legacy -N WALL; iptables-legacy -A WALL -d 172.18.0.0/16 -m conntrack --ctstate ESTABLISHED -j DROP; iptables-legacy -A FORWARD -j WALL`,
  },
  {
    cause: 'nft-chain-drops',
    name: 'a native chain drops what comes from br0',
    script: `nft 'add table inet wall; add chain inet wall through { type filter hook forward priority 5; }; add rule inet wall through iifname "br0" oifname "${U}" drop'`,
  },
  {
    cause: 'prerouting-drop',
    name: 'a DROP in raw PREROUTING',
    script: 'iptables -t raw -I PREROUTING -i br0 -p tcp --dport 80 -j DROP',
  },
  {
    cause: 'input-drop',
    name: 'the lab host drops what ct1 asks it',
    script: 'iptables -I INPUT -i br0 -p icmp -j DROP',
  },
  {
    cause: 'container-drops-in',
    name: 'ct2 drops pings',
    script: 'ip netns exec ct2 iptables -A INPUT -p icmp --icmp-type echo-request -j DROP',
  },
  { cause: 'uplink-enslaved', name: 'the uplink is in br0', script: `ip link set ${U} master br0` },
  { cause: 'uplink-down', name: 'the uplink is down', script: `ip link set ${U} down` },
  { cause: 'host-default-route-missing', name: 'the lab host has no default route', script: 'ip route del default' },
  { cause: 'resolver-file-missing', name: 'no resolv.conf of ct1', script: 'rm -r /etc/netns/ct1' },
  { cause: 'resolver-file-empty', name: 'an empty resolv.conf of ct2', script: ': >/etc/netns/ct2/resolv.conf' },
  {
    cause: 'resolver-unreachable',
    name: 'a resolver that is none',
    script: 'echo nameserver 203.0.113.200 >/etc/netns/ct1/resolv.conf',
  },
  {
    cause: 'resolver-not-listening',
    name: 'nobody listens at the gateway',
    script: 'echo nameserver 172.18.0.1 >/etc/netns/ct2/resolv.conf',
  },
  {
    cause: 'nsswitch-without-dns',
    name: 'an nsswitch.conf of ct1 without dns',
    script: "echo 'hosts: files' >/etc/netns/ct1/nsswitch.conf",
  },
  {
    cause: 'host-resolver-overwritten',
    name: "the lab host's resolv.conf is overwritten",
    script: 'ip netns exec keep sh -c "echo nameserver 1.1.1.1 >/etc/resolv.conf"',
  },
  { cause: 'server-missing', name: 'no server', script: stop },
  { cause: 'server-missing', name: 'the server listens on 8000', script: serve('8000 --bind 0.0.0.0') },
  { cause: 'server-on-loopback', name: 'the server listens on loopback', script: serve('80 --bind 127.0.0.1') },
  {
    cause: 'dnat-missing',
    name: 'no translation of the port',
    script: `${dnat('PREROUTING')}
${dnat('OUTPUT')}`,
  },
  { cause: 'dnat-not-in-output', name: 'only PREROUTING translates', script: dnat('OUTPUT') },
  { cause: 'dnat-not-in-prerouting', name: 'only OUTPUT translates', script: dnat('PREROUTING') },
  {
    cause: 'dnat-wrong-port',
    name: 'the wrong port in ct1',
    script: `for c in PREROUTING OUTPUT; do iptables -t nat -I $c -p tcp --dport 8080 -m addrtype --dst-type LOCAL -j DNAT --to-destination 172.18.0.11:8001; done`,
  },
  {
    cause: 'dnat-wrong-address',
    name: 'the wrong container',
    script: `iptables -t nat -I PREROUTING -p tcp --dport 8080 -m addrtype --dst-type LOCAL -j DNAT --to-destination 172.18.0.12:80`,
  },
  {
    cause: 'dnat-wrong-protocol',
    name: 'UDP is translated',
    script: `${dnat('PREROUTING')}
iptables -t nat -A PREROUTING -p udp --dport 8080 -m addrtype --dst-type LOCAL -j DNAT --to-destination 172.18.0.11:80`,
  },
  {
    cause: 'dnat-takes-all',
    name: 'PREROUTING translates every destination',
    script: 'iptables -t nat -I PREROUTING -p tcp --dport 8080 -j DNAT --to-destination 172.18.0.11:80',
  },
  {
    cause: 'dnat-takes-all',
    name: 'OUTPUT translates every destination',
    script: 'iptables -t nat -I OUTPUT -p tcp --dport 8080 -j DNAT --to-destination 172.18.0.11:80',
  },
  {
    cause: 'route-localnet-missing',
    name: 'no route_localnet',
    script: 'sysctl -qw net.ipv4.conf.br0.route_localnet=0',
  },
  {
    cause: 'loopback-source-untranslated',
    name: "the loopback's source is not translated",
    script: without(`iptables -t nat -A POSTROUTING -o br0 -m addrtype --src-type LOCAL ${mark} -j MASQUERADE`),
  },
  {
    cause: 'port-held-by-another',
    name: 'a server of the lab host in place of the translation',
    script: `${dnat('PREROUTING')}
${dnat('OUTPUT')}
cd /tmp; setsid --fork python3 -m http.server 8080 </dev/null >/dev/null 2>&1
until ss -Hltn sport = 8080 | grep -q .; do :; done`,
  },
];

/** On a lab host whose FORWARD policy is DROP, bridge-nf 1. */
export const underDrop: Breakage[] = [
  {
    cause: 'forward-no-accept-out',
    name: 'no way out through FORWARD',
    script: `iptables -D FORWARD -i br0 ! -o br0 ${mark} -j ACCEPT`,
  },
  {
    cause: 'forward-no-accept-back',
    name: 'no way back through FORWARD',
    script: `iptables -D FORWARD -o br0 -m conntrack --ctstate RELATED,ESTABLISHED ${mark} -j ACCEPT`,
  },
  {
    cause: 'forward-no-accept-published',
    name: 'no way in for the published port',
    script: `iptables -D FORWARD -o br0 -d 172.18.0.11 -p tcp --dport 80 -m conntrack --ctstate DNAT ${mark} -j ACCEPT`,
  },
  {
    cause: 'forward-drops-bridged',
    name: 'FORWARD drops what passes between two ports',
    script: `iptables -D FORWARD -i br0 -o br0 ${mark} -j ACCEPT`,
  },
  {
    cause: 'forward-rule-drops',
    name: 'a DROP in the wrong order',
    script: 'iptables -I FORWARD -i br0 -j DROP',
  },
];

const written = new Set([...underAccept, ...underDrop].map(({ cause }) => cause));

/** The faults of the course whose causes nothing above has. */
export const fromFaults: Breakage[] = faults
  .filter(({ cause, conditions, machine }) => !written.has(cause) && conditions === undefined && machine !== 'vm')
  .map((fault) => ({
    cause: fault.cause,
    name: fault.title,
    script: listFaultCommands('inject', [fault], defaultPlan)
      .map(({ run }) => run.cmd)
      .join('\n'),
    rest: listFaultCommands('repair', [fault], defaultPlan)
      .map(({ done, run }) => `{ ${done?.cmd ?? 'false'}; } > /dev/null 2>&1 || { ${run.cmd}; }`)
      .join('\n'),
  }));
