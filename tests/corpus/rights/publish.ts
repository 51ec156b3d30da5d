import { subnet, uplink, type Recipe } from '../recipe.ts';

const quiet = '</dev/null >/dev/null 2>&1';
const listens = (port = 8080): string => `until ss -Hltn sport = ${port} | grep -q .; do :; done`;
const proxy = (listen: string): string =>
  `setsid --fork socat TCP-LISTEN:${listen},fork,reuseaddr TCP:172.18.0.11:80 ${quiet}`;
const accept = `iptables -A FORWARD -p tcp -d 172.18.0.11 --dport 80 -j ACCEPT
iptables -A FORWARD -p tcp -s 172.18.0.11 --sport 80 -j ACCEPT`;

/** The host's port, from everywhere, to the server in ct1. */
export const publish: Recipe[] = [
  {
    name: 'PREROUTING and OUTPUT, dst-type LOCAL',
    script: `for chain in PREROUTING OUTPUT; do
  iptables -t nat -A $chain -p tcp --dport 8080 -m addrtype --dst-type LOCAL -j DNAT --to-destination 172.18.0.11:80
done
sysctl -qw net.ipv4.conf.br0.route_localnet=1
iptables -t nat -A POSTROUTING -o br0 -m addrtype --src-type LOCAL -j MASQUERADE
${accept}`,
  },
  {
    name: 'nft with fib and a map',
    script: `nft -f - <<'END'
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
  { name: 'a userland proxy', kind: 'proxy', script: `${proxy('8080')}\n${listens()}` },
  {
    name: 'chains as Docker has them, and its proxy for 127.0.0.1',
    kind: 'proxy',
    script: `iptables -t nat -N DOCKER
iptables -t nat -A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
iptables -t nat -A OUTPUT ! -d 127.0.0.0/8 -m addrtype --dst-type LOCAL -j DOCKER
iptables -t nat -A DOCKER ! -i br0 -p tcp -m tcp --dport 8080 -j DNAT --to-destination 172.18.0.11:80
iptables -N DOCKER
iptables -A FORWARD -o br0 -j DOCKER
iptables -A FORWARD -o br0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
iptables -A FORWARD -i br0 -j ACCEPT
iptables -A DOCKER -d 172.18.0.11/32 ! -i br0 -o br0 -p tcp -m tcp --dport 80 -j ACCEPT
${proxy('8080,bind=127.0.0.1')}
${listens()}`,
  },
  {
    name: 'DNAT by address and interface, SNAT to the gateway, multiport',
    script: `iptables -t nat -A PREROUTING -i ${uplink} -d 203.0.113.2 -p tcp -m multiport --dports 8080 -j DNAT --to-destination 172.18.0.11:80
iptables -t nat -A OUTPUT -d 203.0.113.2 -p tcp --dport 8080 -j DNAT --to-destination 172.18.0.11:80
iptables -t nat -A OUTPUT -d 127.0.0.0/8 -p tcp --dport 8080 -j DNAT --to-destination 172.18.0.11:80
sysctl -qw net.ipv4.conf.all.route_localnet=1
iptables -t nat -A POSTROUTING -s 127.0.0.0/8 -d 172.18.0.11 -p tcp --dport 80 -j SNAT --to-source 172.18.0.1
iptables -I FORWARD -d 172.18.0.11 -p tcp --dport 80 -j ACCEPT
iptables -A FORWARD -s 172.18.0.11 -p tcp --sport 80 -m conntrack --ctstate ESTABLISHED -j ACCEPT`,
  },
  {
    name: 'iptables-legacy DNAT from outside, a proxy in Python for the host itself',
    kind: 'proxy',
    script: `iptables-legacy -t nat -A PREROUTING -i ${uplink} -m addrtype --dst-type LOCAL -p tcp --dport 8080 -j DNAT --to-destination 172.18.0.11:80
${accept}
cat >/srv/proxy.py <<'END'
import socket, threading
def pass_on(a, b):
    while data := a.recv(65536):
        b.sendall(data)
    b.shutdown(socket.SHUT_WR)
def serve(a):
    b = socket.create_connection(("172.18.0.11", 80))
    threading.Thread(target=pass_on, args=(a, b)).start()
    pass_on(b, a)
server = socket.create_server(("", 8080))
while True:
    threading.Thread(target=serve, args=(server.accept()[0],)).start()
END
setsid --fork python3 /srv/proxy.py ${quiet}
${listens()}`,
  },
  {
    name: 'REDIRECT to a proxy on another port',
    kind: 'proxy',
    script: `for chain in PREROUTING OUTPUT; do
  iptables -t nat -A $chain -p tcp --dport 8080 -m addrtype --dst-type LOCAL -j REDIRECT --to-ports 18081
done
${proxy('18081')}
${listens(18081)}`,
  },
  {
    name: 'one nft table for all: sets, inet, ct status dnat, masquerade for the hairpin',
    script: `nft -f - <<'END'
table inet published {
  set ports { type inet_service; elements = { 8080 }; }
  chain to { tcp dport @ports dnat ip to 172.18.0.11:80; }
  chain pre { type nat hook prerouting priority -110; policy accept;
    fib daddr type local jump to
  }
  chain own { type nat hook output priority -110; policy accept;
    fib daddr type local jump to
  }
  chain post { type nat hook postrouting priority 90; policy accept;
    ip saddr ${subnet} ip daddr 172.18.0.11 ct status dnat masquerade
    ip saddr 127.0.0.0/8 ip daddr 172.18.0.11 masquerade
  }
}
END
sysctl -qw net.ipv4.conf.br0.route_localnet=1
iptables -I FORWARD -m conntrack --ctstate DNAT -j ACCEPT`,
  },
];

/** Right without a rule of FORWARD, where the policy is ACCEPT. */
export const openPublish: Recipe[] = [
  {
    name: 'PREROUTING and OUTPUT, no FORWARD rules',
    script: `for chain in PREROUTING OUTPUT; do
  iptables -t nat -A $chain -p tcp --dport 8080 -m addrtype --dst-type LOCAL -j DNAT --to-destination 172.18.0.11:80
done
sysctl -qw net.ipv4.conf.br0.route_localnet=1
iptables -t nat -A POSTROUTING -o br0 -m addrtype --src-type LOCAL -j MASQUERADE`,
  },
  { name: 'a userland proxy', script: `${proxy('8080')}\n${listens()}` },
];
