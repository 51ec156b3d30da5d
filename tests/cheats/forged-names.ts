import { type Cheat, right } from './cheat.ts';

export const forgedNames: Cheat = {
  name: 'forged-names',
  what: 'hosts has example.com, and a resolver on the lab host answers every name with that address without asking anybody',
  script: `${right.links}
${right.egress}
${right.publish}
dnsmasq --conf-file=/dev/null --interface=br0 --bind-interfaces --except-interface=lo --no-hosts --no-resolv \\
  --address=/#/93.184.216.34 --pid-file=/run/lab-dns.pid
for ct in ct1 ct2; do mkdir -p /etc/netns/$ct; echo nameserver 172.18.0.1 >/etc/netns/$ct/resolv.conf; done
echo 93.184.216.34 example.com >>/etc/hosts`,
  naive: 'pass',
  caught: ['dns.ct1', 'dns.ct2', 'dns.host-unchanged'],
  seen: /makes the answer up/,
};
