import { both, type Recipe } from '../recipe.ts';

const asks = (n: number, server: string): string =>
  `mkdir -p /etc/netns/ct${n}\necho nameserver ${server} >/etc/netns/ct${n}/resolv.conf`;
const dnsmasq = 'dnsmasq --conf-file=/dev/null --bind-interfaces --no-hosts --no-resolv';

/** Name servers for the containers. */
export const dns: Recipe[] = [
  { name: '/etc/netns', script: both((n) => asks(n, '1.1.1.1')) },
  {
    name: 'dnsmasq on br0',
    script: `${dnsmasq} --interface=br0 --except-interface=lo --server=8.8.8.8 --pid-file=/run/lab-dns.pid
${both((n) => asks(n, '172.18.0.1'))}`,
  },
  {
    name: '127.0.0.11 with NAT in the container',
    script: both(
      (n) => `${asks(n, '127.0.0.11')}
ip netns exec ct${n} ${dnsmasq} --listen-address=127.0.0.11 --port=5300 --server=1.1.1.1 --pid-file=/run/lab-dns-${n}.pid
ip netns exec ct${n} iptables -t nat -A OUTPUT -d 127.0.0.11 -p udp --dport 53 -j DNAT --to-destination 127.0.0.11:5300`,
    ),
  },
  {
    name: 'dnsmasq in each container',
    script: both(
      (n) => `${asks(n, '127.0.0.1')}
ip netns exec ct${n} ${dnsmasq} --interface=lo --server=1.1.1.1 --server=8.8.8.8 --pid-file=/run/lab-dns-${n}.pid`,
    ),
  },
  {
    name: 'two name servers, options, a hosts file of its own; one folder for both',
    script: `mkdir -p /etc/netns/ct1
printf 'search lab.example\\nnameserver 8.8.8.8\\nnameserver 1.1.1.1\\noptions timeout:1 attempts:2\\n' >/etc/netns/ct1/resolv.conf
printf '127.0.0.1 localhost\\n172.18.0.11 ct1\\n172.18.0.12 ct2\\n' >/etc/netns/ct1/hosts
ln -s ct1 /etc/netns/ct2`,
  },
  {
    name: "questions to the gateway, translated to a resolver's address by nft",
    script: `${both((n) => asks(n, '172.18.0.1'))}
nft -f - <<'END'
table ip names {
  chain pre { type nat hook prerouting priority dstnat; policy accept;
    ip daddr 172.18.0.1 udp dport 53 dnat to 1.1.1.1
  }
}
END`,
  },
];
