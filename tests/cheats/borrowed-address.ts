import { type Cheat, rightBuild } from './cheat.ts';

export const borrowedAddress: Cheat = {
  name: 'borrowed-address',
  what: "ct2's cable is cut, and its address is on ct1's lo, so that ct1 answers itself",
  script: `${rightBuild}
ip link set veth-ct2 nomaster
ip -n ct1 addr add 172.18.0.12/32 dev lo`,
  naive: 'pass',
  caught: ['veth.ct2-port', 'connectivity.ct1-ct2', 'connectivity.ct2-ct1', 'egress.ct2'],
  seen: /must have master br0/,
};
