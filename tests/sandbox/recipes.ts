/**
 * Ways to build the default plan by hand that all work: what a grader must accept. Each is a shell text; the parts of
 * one build are joined. `drop` says that it holds under FORWARD DROP with bridge-nf=1, too.
 */
export interface Recipe {
  name: string;
  script: string;
}

const U = 'enp1s0';
const S = '172.18.0.0/16';
const address = (n: number): string => `ip -n ct${n} addr add 172.18.0.1${n}/16 dev eth0
ip -n ct${n} link set eth0 up
ip -n ct${n} link set lo up
ip -n ct${n} route add default via 172.18.0.1`;
const bridge = `ip link add br0 type bridge
ip addr add 172.18.0.1/16 dev br0
ip link set br0 up`;
const both = (line: (n: number) => string): string => [1, 2].map(line).join('\n');

export const links: Recipe[] = [
  {
    name: 'as in the seed',
    script: `${both((n) => `ip netns add ct${n}`)}
${bridge}
${both(
  (n) => `ip link add veth-ct${n} type veth peer name veth-ct${n}-ns
ip link set veth-ct${n} up master br0
ip link set veth-ct${n}-ns netns ct${n}
ip -n ct${n} link set veth-ct${n}-ns name eth0
${address(n)}`,
)}`,
  },
  {
    name: 'veth made from the inside, brctl, other names',
    script: `${both((n) => `ip netns add ct${n}`)}
brctl addbr br0
ip addr add 172.18.0.1/16 dev br0
ip link set br0 up
${both(
  (n) => `ip -n ct${n} link add eth0 type veth peer name cable${n} netns $$
brctl addif br0 cable${n}
ip link set cable${n} up
${address(n)}`,
)}`,
  },
  {
    name: 'ip netns attach and unshare --net=FILE',
    script: `mkdir -p /run/netns
unshare --net setsid sleep 1000 </dev/null >/dev/null 2>&1 &
holder=$!
until [ "$(readlink /proc/$holder/ns/net)" != "$(readlink /proc/self/ns/net)" ]; do :; done
ip netns attach ct1 $holder
kill $holder
touch /run/netns/ct2
unshare --net=/run/netns/ct2 true
${bridge}
${both(
  (n) => `ip link add v${n} type veth peer name eth0 netns ct${n}
ip link set v${n} master br0
ip link set v${n} up
${address(n)}`,
)}`,
  },
];

const policy = `iptables -A FORWARD -i br0 -o br0 -j ACCEPT`;

export const egress: Recipe[] = [
  {
    name: 'iptables-nft, MASQUERADE',
    script: `sysctl -qw net.ipv4.ip_forward=1
iptables -t nat -A POSTROUTING -s ${S} -o ${U} -j MASQUERADE
iptables -A FORWARD -i ${U} -o br0 -m state --state RELATED,ESTABLISHED -j ACCEPT
iptables -A FORWARD -i br0 -o ${U} -j ACCEPT
${policy}`,
  },
  {
    name: 'SNAT with a mark, own chain, ! -o br0, restored as a file',
    script: `sysctl -qw net.ipv4.ip_forward=1
iptables-restore --noflush <<'END'
*mangle
-A PREROUTING -i br0 -j MARK --set-mark 7
COMMIT
*nat
:LAB - [0:0]
-A POSTROUTING -j LAB
-A LAB -m mark --mark 7 ! -o br0 -j SNAT --to-source 203.0.113.2
COMMIT
*filter
:LAB - [0:0]
-A FORWARD -j LAB
-A LAB -o br0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A LAB -i br0 -j ACCEPT
COMMIT
END`,
  },
  {
    name: 'native nft, inet, sets, snat; iptables for its own DROP',
    script: `sysctl -qw net.ipv4.ip_forward=1
nft -f - <<'END'
table inet lab {
  set inside { type ipv4_addr; flags interval; elements = { ${S} }; }
  chain out { type nat hook postrouting priority srcnat; policy accept;
    ip saddr @inside oifname "${U}" snat ip to 203.0.113.2
  }
}
END
iptables -A FORWARD -i br0 -j ACCEPT
iptables -A FORWARD -o br0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT`,
  },
  {
    name: 'iptables-legacy, per-interface forwarding',
    script: `sysctl -qw net.ipv4.conf.br0.forwarding=1 net.ipv4.conf.${U}.forwarding=1
iptables-legacy -t nat -A POSTROUTING -s ${S} -o ${U} -j MASQUERADE
iptables -A FORWARD -i br0 -j ACCEPT
iptables -A FORWARD -o br0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT`,
  },
];

export const dns: Recipe[] = [
  {
    name: '/etc/netns',
    script: both((n) => `mkdir -p /etc/netns/ct${n}\necho nameserver 1.1.1.1 >/etc/netns/ct${n}/resolv.conf`),
  },
  {
    name: 'dnsmasq on br0',
    script: `dnsmasq --conf-file=/dev/null --interface=br0 --bind-interfaces --except-interface=lo --no-hosts --no-resolv \\
  --server=8.8.8.8 --pid-file=/run/lab-dns.pid
${both((n) => `mkdir -p /etc/netns/ct${n}\necho nameserver 172.18.0.1 >/etc/netns/ct${n}/resolv.conf`)}`,
  },
  {
    name: '127.0.0.11 with NAT in the container',
    script: both(
      (n) => `mkdir -p /etc/netns/ct${n}
echo nameserver 127.0.0.11 >/etc/netns/ct${n}/resolv.conf
ip netns exec ct${n} dnsmasq --conf-file=/dev/null --listen-address=127.0.0.11 --port=5300 --bind-interfaces \\
  --no-hosts --no-resolv --server=1.1.1.1 --pid-file=/run/lab-dns-${n}.pid
ip netns exec ct${n} iptables -t nat -A OUTPUT -d 127.0.0.11 -p udp --dport 53 -j DNAT --to-destination 127.0.0.11:5300`,
    ),
  },
];

const serve = (bind: string): string =>
  `cd /tmp; ip netns exec ct1 setsid python3 -m http.server --bind ${bind} 80 </dev/null >/dev/null 2>&1 &
until ip netns exec ct1 ss -Hltn sport = 80 | grep -q .; do :; done`;

export const publish: Recipe[] = [
  {
    name: 'PREROUTING and OUTPUT, dst-type LOCAL',
    script: `${serve('0.0.0.0')}
for chain in PREROUTING OUTPUT; do
  iptables -t nat -A $chain -p tcp --dport 8080 -m addrtype --dst-type LOCAL -j DNAT --to-destination 172.18.0.11:80
done
sysctl -qw net.ipv4.conf.br0.route_localnet=1
iptables -t nat -A POSTROUTING -o br0 -m addrtype --src-type LOCAL -j MASQUERADE
iptables -A FORWARD -p tcp -d 172.18.0.11 --dport 80 -j ACCEPT
iptables -A FORWARD -p tcp -s 172.18.0.11 --sport 80 -j ACCEPT`,
  },
  {
    name: 'nft with fib and a map',
    script: `${serve('172.18.0.11')}
nft -f - <<'END'
table ip published {
  map ports { type inet_service : ipv4_addr . inet_service; elements = { 8080 : 172.18.0.11 . 80 }; }
  chain pre { type nat hook prerouting priority dstnat; policy accept;
    fib daddr type local dnat ip to tcp dport map @ports
  }
  chain own { type nat hook output priority -100; policy accept;
    fib daddr type local dnat ip to tcp dport map @ports
  }
  chain post { type nat hook postrouting priority srcnat; policy accept;
    oifname "br0" fib saddr type local masquerade
  }
}
END
sysctl -qw net.ipv4.conf.br0.route_localnet=1
iptables -A FORWARD -o br0 -m conntrack --ctstate DNAT -j ACCEPT
iptables -A FORWARD -i br0 -m conntrack --ctstate DNAT -j ACCEPT`,
  },
  {
    name: 'a userland proxy',
    script: `${serve('0.0.0.0')}
setsid socat TCP-LISTEN:8080,fork,reuseaddr TCP:172.18.0.11:80 </dev/null >/dev/null 2>&1 &
until ss -Hltn sport = 8080 | grep -q .; do :; done`,
  },
  {
    name: 'chains as Docker has them, and its proxy for 127.0.0.1',
    script: `${serve('0.0.0.0')}
iptables -t nat -N DOCKER
iptables -t nat -A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
iptables -t nat -A OUTPUT ! -d 127.0.0.0/8 -m addrtype --dst-type LOCAL -j DOCKER
iptables -t nat -A DOCKER ! -i br0 -p tcp -m tcp --dport 8080 -j DNAT --to-destination 172.18.0.11:80
iptables -N DOCKER
iptables -A FORWARD -o br0 -j DOCKER
iptables -A FORWARD -o br0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
iptables -A FORWARD -i br0 -j ACCEPT
iptables -A DOCKER -d 172.18.0.11/32 ! -i br0 -o br0 -p tcp -m tcp --dport 80 -j ACCEPT
setsid socat TCP-LISTEN:8080,bind=127.0.0.1,fork,reuseaddr TCP:172.18.0.11:80 </dev/null >/dev/null 2>&1 &
until ss -Hltn sport = 8080 | grep -q .; do :; done`,
  },
];
