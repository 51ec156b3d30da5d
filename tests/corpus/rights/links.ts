import { both, type Recipe } from '../recipe.ts';

const address = (n: number): string => `ip -n ct${n} addr add 172.18.0.1${n}/16 dev eth0
ip -n ct${n} link set eth0 up
ip -n ct${n} link set lo up
ip -n ct${n} route add default via 172.18.0.1`;
const bridge = `ip link add br0 type bridge
ip addr add 172.18.0.1/16 dev br0
ip link set br0 up`;

/** Namespaces, bridge, veth pairs and addresses. */
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
  {
    name: 'the shape that networkd makes: protocol static, broadcast, onlink, STP settings',
    script: `${both((n) => `ip netns add ct${n}`)}
ip link add br0 type bridge forward_delay 200 stp_state 0
ip link set br0 up
ip addr add 172.18.0.1/16 brd 172.18.255.255 dev br0
${both(
  (n) => `ip link add vb-ct${n} type veth peer name host0
ip link set vb-ct${n} up
ip link set dev vb-ct${n} master br0
ip link set host0 netns ct${n} name eth0
ip -n ct${n} link set lo up
ip -n ct${n} link set eth0 up
ip -n ct${n} addr add 172.18.0.1${n}/16 brd 172.18.255.255 dev eth0
ip -n ct${n} route add default via 172.18.0.1 dev eth0 proto static metric 1024 onlink`,
)}`,
  },
  {
    name: 'one batch, from inside by nsenter and ip netns exec, an eth0 on the host too',
    script: `ip -batch - <<'END'
netns add ct1
netns add ct2
link add name br0 up type bridge
addr add 172.18.0.1/16 dev br0
link add eth0 type veth peer name eth0 netns ct1
link add eth1 type veth peer name eth0 netns ct2
link set eth0 master br0 up
link set eth1 master br0 up
END
${both(
  (n) => `nsenter --net=/run/netns/ct${n} ip link set lo up
ip netns exec ct${n} ip addr add 172.18.0.1${n}/16 dev eth0
nsenter --net=/run/netns/ct${n} ip link set eth0 up mtu 1400
ip netns exec ct${n} ip route replace default via 172.18.0.1 dev eth0`,
)}`,
  },
  {
    name: 'namespaces bound by hand, as Docker binds its own; bridge by ip link set type, names as Docker gives',
    script: `mkdir -p /run/netns
${both(
  (n) => `touch /run/netns/ct${n}
unshare --net mount --bind /proc/self/ns/net /run/netns/ct${n}`,
)}
${bridge}
ip link set br0 type bridge ageing_time 30000
${both(
  (n) => `ip link add veth${n}a7c3e5 type veth peer name veth${n}f00
ip link set veth${n}f00 netns ct${n}
ip link set veth${n}a7c3e5 master br0
ip -n ct${n} link set veth${n}f00 name eth0
${address(n)}
ip link set veth${n}a7c3e5 up`,
)}`,
  },
];
