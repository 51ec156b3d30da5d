import { subnet, uplink, type Recipe } from '../recipe.ts';

const back = 'iptables -A FORWARD -o br0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT';
const out = 'iptables -A FORWARD -i br0 -j ACCEPT';
const router = 'sysctl -qw net.ipv4.ip_forward=1';

/** Forwarding and translation; each holds under FORWARD DROP with bridge-nf=1, too. */
export const egress: Recipe[] = [
  {
    name: 'iptables-nft, MASQUERADE',
    script: `${router}
iptables -t nat -A POSTROUTING -s ${subnet} -o ${uplink} -j MASQUERADE
iptables -A FORWARD -i ${uplink} -o br0 -m state --state RELATED,ESTABLISHED -j ACCEPT
iptables -A FORWARD -i br0 -o ${uplink} -j ACCEPT
iptables -A FORWARD -i br0 -o br0 -j ACCEPT`,
  },
  {
    name: 'SNAT with a mark, own chain, ! -o br0, restored as a file',
    script: `${router}
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
    script: `${router}
nft -f - <<'END'
table inet lab {
  set inside { type ipv4_addr; flags interval; elements = { ${subnet} }; }
  chain out { type nat hook postrouting priority srcnat; policy accept;
    ip saddr @inside oifname "${uplink}" snat ip to 203.0.113.2
  }
}
END
${out}
${back}`,
  },
  {
    name: 'iptables-legacy, per-interface forwarding',
    script: `sysctl -qw net.ipv4.conf.br0.forwarding=1 net.ipv4.conf.${uplink}.forwarding=1
iptables-legacy -t nat -A POSTROUTING -s ${subnet} -o ${uplink} -j MASQUERADE
${out}
${back}`,
  },
  {
    name: "chains as Docker's: DOCKER-USER, DOCKER-FORWARD, MASQUERADE ! -o br0",
    script: `${router}
iptables -t nat -A POSTROUTING -s ${subnet} ! -o br0 -j MASQUERADE
iptables -N DOCKER-USER
iptables -N DOCKER-FORWARD
iptables -N DOCKER-CT
iptables -A FORWARD -j DOCKER-USER
iptables -A FORWARD -j DOCKER-FORWARD
iptables -A DOCKER-FORWARD -j DOCKER-CT
iptables -A DOCKER-CT -o br0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
iptables -A DOCKER-FORWARD -i br0 -j ACCEPT`,
  },
  {
    name: 'native nft in table ip, another priority, a map by source; accepts inserted first',
    script: `${router}
nft -f - <<'END'
table ip lab {
  map sources { type ipv4_addr : ipv4_addr; flags interval; elements = { ${subnet} : 203.0.113.2 }; }
  chain late { type nat hook postrouting priority 120; policy accept;
    oifname != "br0" iifname "br0" snat to ip saddr map @sources
  }
}
END
iptables -I FORWARD -i br0 -j ACCEPT
iptables -I FORWARD 1 -o br0 -m state --state ESTABLISHED,RELATED -j ACCEPT`,
  },
  {
    name: 'a rule for each container; the state first, then its direction; a file in sysctl.d',
    script: `mkdir -p /etc/sysctl.d
echo net.ipv4.ip_forward=1 >/etc/sysctl.d/90-lab.conf
sysctl -q -p /etc/sysctl.d/90-lab.conf
iptables -t nat -A POSTROUTING -s 172.18.0.11 -o ${uplink} -j MASQUERADE
iptables -t nat -A POSTROUTING -s 172.18.0.12/32 -o ${uplink} -j SNAT --to-source 203.0.113.2
iptables -A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
iptables -A FORWARD -i br0 -m conntrack --ctstate NEW -j ACCEPT`,
  },
  {
    name: 'a mark set in FORWARD, address ranges, conntrack by source',
    script: `echo 1 >/proc/sys/net/ipv4/ip_forward
iptables -t mangle -A FORWARD -i br0 -o ${uplink} -j MARK --set-xmark 0x10/0x10
iptables -t nat -A POSTROUTING -m mark --mark 0x10/0x10 -j MASQUERADE
iptables -A FORWARD -m iprange --src-range 172.18.0.11-172.18.0.12 -j ACCEPT
iptables -A FORWARD -m iprange --dst-range 172.18.0.11-172.18.0.12 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT`,
  },
  {
    name: 'a routing table of their own, iptables-legacy SNAT, nft accept in the table of iptables',
    script: `${router}
ip rule add from ${subnet} lookup 100
ip route add default via 203.0.113.1 dev ${uplink} table 100
ip route add ${subnet} dev br0 table 100
iptables-legacy -t nat -A POSTROUTING -s ${subnet} ! -d ${subnet} -j SNAT --to-source 203.0.113.2
iptables -A FORWARD -s ${subnet} -j ACCEPT
iptables -A FORWARD -d ${subnet} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT`,
  },
];

/** No rule of FORWARD, or native nft alone: right where iptables' FORWARD has the policy ACCEPT. */
export const openEgress: Recipe[] = [
  {
    name: 'no FORWARD rules',
    script: `${router}
iptables -t nat -A POSTROUTING -s ${subnet} -o ${uplink} -j MASQUERADE`,
  },
  {
    name: 'native nft alone, forward chain with policy drop',
    script: `${router}
nft -f - <<'END'
table inet lab {
  chain post { type nat hook postrouting priority 100; policy accept;
    ip saddr ${subnet} oifname "${uplink}" masquerade
  }
  chain pass { type filter hook forward priority filter; policy drop;
    ct state established,related accept
    iifname "br0" accept
    ct status dnat accept
  }
}
END`,
  },
  {
    name: 'per-interface forwarding, iptables-legacy, no FORWARD rules',
    script: `sysctl -qw net.ipv4.conf.br0.forwarding=1 net.ipv4.conf.${uplink}.forwarding=1
iptables-legacy -t nat -A POSTROUTING -s ${subnet} ! -o br0 -j MASQUERADE`,
  },
];
