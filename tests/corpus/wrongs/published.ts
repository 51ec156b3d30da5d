import type { Wrong } from './wrong.ts';

const quiet = '</dev/null >/dev/null 2>&1';

/** The server and the published port. */
export const published: Wrong[] = [
  {
    name: 'a server on the lab host in place of the published port',
    deceives: true,
    fails: 'publish.outside',
    recipes: { publish: 2 },
    swap: [
      /^setsid --fork socat TCP-LISTEN:8080.*$/m,
      `setsid --fork python3 -m http.server 8080 --directory /srv/ct1 ${quiet}`,
    ],
  },
  {
    name: 'the server says nothing',
    fails: 'publish.server',
    swap: [/^setsid .*http\.server.*$/m, `setsid --fork ip netns exec ct1 nc -lk 0.0.0.0 80 ${quiet}`],
  },
  {
    name: 'the server has ended',
    fails: 'publish.server',
    add: `kill $(pgrep -f '^python3 -m http.server')
while pgrep -f '^python3 -m http.server' >/dev/null; do sleep 0.01; done`,
  },
  {
    name: 'the server is stopped',
    fails: 'publish.server',
    add: "kill -STOP $(pgrep -f '^python3 -m http.server')",
  },
  {
    name: 'ct1 has a firewall of its own before its server',
    fails: 'publish.server',
    add: 'ip netns exec ct1 iptables -A INPUT -p tcp --dport 80 -j DROP',
  },
  {
    name: 'every request to the port is sent to ct1, wherever it goes',
    fails: 'publish.transit',
    swap: [/-A PREROUTING -m addrtype --dst-type LOCAL/, '-A PREROUTING'],
  },
  {
    name: 'every request of the lab host to the port is sent to ct1',
    fails: 'publish.outgoing',
    swap: [/-A OUTPUT -m addrtype --dst-type LOCAL/, '-A OUTPUT'],
  },
  {
    name: 'requests to the port are dropped on their way out',
    fails: 'publish.transit',
    add: 'iptables -I FORWARD -i br0 -p tcp --dport 8080 -j DROP',
  },
  {
    name: "the lab host's own requests to the port are dropped",
    fails: 'publish.outgoing',
    add: 'iptables -A OUTPUT -d 93.184.216.34 -p tcp --dport 8080 -j DROP',
  },
  {
    name: 'for neighbours alone',
    fails: 'publish.outside',
    swap: [/-A PREROUTING -m addrtype/, '-A PREROUTING -s 203.0.113.0/24 -m addrtype'],
  },
  {
    name: "for the gateway's address alone",
    fails: 'publish.outside',
    swap: [/-A PREROUTING -m addrtype --dst-type LOCAL/, '-A PREROUTING -d 172.18.0.1'],
  },
  {
    name: 'to ct2',
    fails: 'publish.outside',
    swap: [/^(iptables -t nat -A PREROUTING .*)172\.18\.0\.11:80$/m, '$1172.18.0.12:80'],
  },
  {
    name: 'let in and rejected',
    fails: 'publish.outside',
    add: 'iptables -I FORWARD -d 172.18.0.11 -p tcp --dport 80 -i enp1s0 -j REJECT',
  },
  {
    name: 'INPUT lets nobody to the proxy',
    fails: 'publish.outside',
    recipes: { publish: 2 },
    add: 'iptables -A INPUT -i enp1s0 -p tcp --dport 8080 -j DROP',
  },
  {
    name: 'a proxy on 127.0.0.1 alone',
    fails: 'publish.outside',
    recipes: { publish: 2 },
    swap: [/TCP-LISTEN:8080/, 'TCP-LISTEN:8080,bind=127.0.0.1'],
  },
  {
    name: "a proxy on the uplink's address alone",
    fails: 'publish.loopback',
    recipes: { publish: 2 },
    swap: [/TCP-LISTEN:8080/, 'TCP-LISTEN:8080,bind=203.0.113.2'],
  },
  {
    name: 'a proxy to ct2',
    fails: 'publish.outside',
    recipes: { publish: 2 },
    swap: [/TCP:172\.18\.0\.11:80/, 'TCP:172.18.0.12:80'],
  },
  {
    name: 'a proxy on another port',
    fails: 'publish.host-address',
    recipes: { publish: 2 },
    swap: [/TCP-LISTEN:8080(.|\n)*$/, `TCP-LISTEN:8082,fork TCP:172.18.0.11:80 ${quiet}`],
  },
  {
    name: "Docker's chains without its proxy",
    fails: 'publish.loopback',
    recipes: { publish: 3 },
    swap: [/^setsid --fork socat(.|\n)*$/m, ''],
  },
  {
    name: "Docker's chain that nothing jumps to",
    fails: 'publish.outside',
    recipes: { publish: 3 },
    swap: [/^iptables -t nat -A PREROUTING .*$/m, ''],
  },
  {
    name: 'nft: no chain for output',
    fails: 'publish.host-address',
    recipes: { publish: 1 },
    swap: [/chain own \{(.|\n)*?\n {2}\}/, ''],
  },
  {
    name: 'nft: a map with another port',
    fails: 'publish.outside',
    recipes: { publish: 1 },
    swap: [/8080 : 172/, '8081 : 172'],
  },
  {
    name: 'nft: a map with another address',
    fails: 'publish.outside',
    recipes: { publish: 1 },
    swap: [/8080 : 172\.18\.0\.11/, '8080 : 172.18.0.12'],
  },
  {
    name: 'nft: whatever the destination',
    fails: 'publish.transit',
    recipes: { publish: 1 },
    swap: [/fib daddr type local (?=dnat)/, ''],
  },
  {
    name: 'nft: no route_localnet',
    fails: 'publish.loopback',
    recipes: { publish: 1 },
    swap: [/^sysctl .*route_localnet=1$/m, ''],
  },
  {
    name: 'nft: nothing for what comes from 127.0.0.1',
    fails: 'publish.loopback',
    recipes: { publish: 7 },
    swap: [/^.*ip saddr 127\.0\.0\.0\/8.*$/m, ''],
  },
  {
    name: 'REDIRECT to a port where nobody listens',
    fails: 'publish.outside',
    recipes: { publish: 6 },
    swap: [/--to-ports 18081/, '--to-ports 18082'],
  },
  {
    name: 'SNAT to 127.0.0.1',
    fails: 'publish.loopback',
    recipes: { publish: 4 },
    swap: [/--to-source 172\.18\.0\.1$/m, '--to-source 127.0.0.1'],
  },
  {
    name: 'nc listens on 127.0.0.1',
    fails: 'publish.server',
    recipes: { servers: 4 },
    swap: [/nc -l -N 0\.0\.0\.0 80/, 'nc -l -N 127.0.0.1 80'],
  },
];
