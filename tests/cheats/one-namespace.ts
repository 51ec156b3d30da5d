import { type Cheat, right } from './cheat.ts';

export const oneNamespace: Cheat = {
  name: 'one-namespace',
  what: 'one namespace has both names and both addresses: ct1 talks to itself when it talks to ct2',
  script: `${right.links}
ip netns del ct2
touch /run/netns/ct2
mount --bind /run/netns/ct1 /run/netns/ct2
ip -n ct1 addr add 172.18.0.12/16 dev eth0
${right.egress}
${right.dns}
${right.publish}`,
  naive: 'pass',
  caught: ['namespaces.ct2', 'connectivity.ct1-ct2', 'egress.ct2', 'dns.ct2'],
  seen: /it is the same one as ct1/,
};
