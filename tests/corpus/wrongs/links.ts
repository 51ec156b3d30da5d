import type { Wrong } from './wrong.ts';

const veth2 = /^ip link add veth-ct2 .*$/m;

/** Namespaces, cables, bridge and uplink. */
export const links: Wrong[] = [
  {
    name: 'ct1 is a plain file',
    fails: 'namespaces.ct1',
    swap: [/^ip netns add ct1$/m, 'mkdir -p /run/netns; touch /run/netns/ct1'],
  },
  {
    name: "ct2 is the lab host's own namespace",
    fails: 'namespaces.ct2',
    swap: [/^ip netns add ct2$/m, 'touch /run/netns/ct2; mount --bind /proc/self/ns/net /run/netns/ct2'],
  },
  {
    name: 'ct2 is another name for ct1',
    fails: 'namespaces.ct2',
    swap: [/^ip netns add ct2$/m, 'touch /run/netns/ct2; mount --bind /run/netns/ct1 /run/netns/ct2'],
  },
  { name: 'the uplink is a port of br0', fails: 'bridge.uplink', add: 'ip link set enp1s0 master br0' },
  {
    name: "the uplink's address is on br0",
    fails: 'bridge.uplink',
    add: `ip addr del 203.0.113.2/24 dev enp1s0
ip addr add 203.0.113.2/24 dev br0
ip route add default via 203.0.113.1`,
  },
  { name: 'the uplink is down', fails: 'bridge.uplink', add: 'ip link set enp1s0 down' },
  {
    name: 'the uplink has another name',
    fails: 'bridge.uplink',
    add: 'ip link set enp1s0 down; ip link set enp1s0 name eth0',
  },
  {
    name: 'the bridge is in ct1',
    fails: 'bridge.exists',
    swap: [/^ip link add name br0 .*$/m, 'ip -n ct1 link add br0 type bridge'],
  },
  {
    name: 'macvlan in place of a cable',
    fails: 'veth.ct2',
    swap: [veth2, 'ip link add link br0 name veth-ct2-ns type macvlan mode bridge'],
  },
  { name: 'both ends of a cable in ct1', fails: 'veth.ct1', add: 'ip link set veth-ct1 netns ct1' },
  {
    name: 'a cable from ct2 to ct1 in place of the bridge',
    fails: 'veth.ct2',
    swap: [veth2, 'ip link add veth-ct2 netns ct1 type veth peer name veth-ct2-ns'],
  },
  {
    name: "the containers have each other's address",
    fails: 'addressing.ct1-address',
    add: `ip -n ct1 addr flush dev eth0; ip -n ct1 addr add 172.18.0.12/16 dev eth0
ip -n ct2 addr flush dev eth0; ip -n ct2 addr add 172.18.0.11/16 dev eth0
for n in ct1 ct2; do ip -n $n route replace default via 172.18.0.1; done`,
  },
  {
    name: 'a second default route that comes first and leads nowhere',
    fails: 'addressing.ct1-route',
    add: `ip -n ct1 route del default
ip -n ct1 route add default via 172.18.0.1 metric 100
ip -n ct1 route add default via 172.18.0.99 metric 10`,
  },
  {
    name: 'a default route without a gateway',
    fails: 'addressing.ct2-route',
    add: 'ip -n ct2 route replace default dev eth0',
  },
];
