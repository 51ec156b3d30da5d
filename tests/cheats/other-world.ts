import { type Cheat, right } from './cheat.ts';

export const otherWorld: Cheat = {
  name: 'other-world',
  what: "the uplink leads into a world of the learner's own, which has a way back to the containers, and world.pid says so",
  script: `${right.links}
${right.egress.replace('-o enp1s0 -j', '-o enp1s0 -m mark --mark 99 -j')}
${right.dns}
${right.publish}
kill -9 $(cat /run/handwired/world.pid)
until ! ip link show enp1s0 >/dev/null 2>&1; do :; done
unshare --net /bin/sh /usr/local/lib/handwired/files/world-start /usr/local/lib/handwired
ip addr add 203.0.113.2/24 dev enp1s0
ip link set enp1s0 up
ip route add default via 203.0.113.1
nsenter --net=/proc/$(cat /run/handwired/world.pid)/ns/net ip route add 172.18.0.0/16 via 203.0.113.2`,
  naive: 'pass',
  caught: ['egress.ct1', 'egress.masquerade', 'dns.ct1', 'publish.outside'],
  seen: /world/,
};
