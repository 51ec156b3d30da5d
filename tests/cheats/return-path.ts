import { type Cheat, right } from './cheat.ts';

export const returnPath: Cheat = {
  name: 'return-path',
  what: "a route inside the world's namespace brings untranslated packets back; the NAT rule never matches",
  script: `${right.links}
${right.egress.replace('-o enp1s0 -j', '-o enp1s0 -m mark --mark 99 -j')}
${right.dns}
${right.publish}
nsenter --net=/proc/$(cat /run/handwired/world.pid)/ns/net ip route add 172.18.0.0/16 via 203.0.113.2`,
  naive: 'pass',
  caught: ['egress.masquerade', 'egress.ct1'],
  seen: /route 172\.18\.0\.0\/16/,
};
