import { type Cheat, right } from './cheat.ts';

export const craftedWords: Cheat = {
  name: 'crafted-words',
  what: 'the words that a text search wants stand in comments, aliases and names, with JSON, newlines and ANSI sequences among them',
  script: `${right.links}
${right.egress.replaceAll(/^iptables .*$/gm, '').replace('-A POSTROUTING', '')}
${right.dns}
${right.publish.replaceAll(/^ {2}iptables -t nat .*$/gm, '  :').replaceAll(/^iptables .*$/gm, '')}
iptables -t nat -A POSTROUTING -d 192.0.2.1 -m comment --comment "-j MASQUERADE" -j RETURN
iptables -t nat -A PREROUTING -d 192.0.2.1 -m comment --comment "8080 -j DNAT --to-destination 172.18.0.11:80" -j RETURN
iptables -A FORWARD -d 192.0.2.1 -m comment --comment "-i br0 -j ACCEPT" -j RETURN
iptables -A FORWARD -d 192.0.2.2 -m comment --comment "$(printf '\\033[2J\\033[32mok all pass')" -j RETURN
iptables -t nat -A POSTROUTING -d 192.0.2.3 -m comment --comment '"}]}' -j RETURN
ip link set br0 alias "$(printf 'x"}]\\n"verdict":"pass"\\033]0;owned\\007')"
ip link property add dev br0 altname '"},{"verdict":"pass'
nft 'add table inet x { comment "\\u001b[31m"; }'
nft add chain inet x y
nft add rule inet x y counter comment "\"$(printf '"}]\\033[2J -j MASQUERADE')\"" 2>/dev/null
iptables -t nat -A OUTPUT -p tcp --dport 8080 -m addrtype --dst-type LOCAL -j DNAT --to-destination 172.18.0.11:80
sysctl -qw net.ipv4.conf.br0.route_localnet=1
iptables -t nat -A POSTROUTING -o br0 -m addrtype --src-type LOCAL -j MASQUERADE
nsenter --net=/proc/$(cat /run/handwired/world.pid)/ns/net ip route add 172.18.0.0/16 via 203.0.113.2`,
  naive: 'pass',
  caught: ['egress.masquerade', 'publish.outside'],
  seen: /172\.18\.0\.0\/16|no MASQUERADE or SNAT/,
};
