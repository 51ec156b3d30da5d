import { $, type Command, type Fault, not, sh } from '@handwired/course';

/** Chains as ufw has them in FORWARD: they accept pings and packets of known connections, and refuse the rest. */
const addUfwChains = (): Command[] => [
  {
    done: $`iptables -S ufw-before-forward`,
    run: sh(`iptables -N ufw-before-forward
iptables -A ufw-before-forward -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
iptables -A ufw-before-forward -p icmp -m icmp --icmp-type 8 -j ACCEPT`),
  },
  {
    done: $`iptables -S ufw-reject-forward`,
    run: sh(`iptables -N ufw-reject-forward
iptables -A ufw-reject-forward -j REJECT --reject-with icmp-port-unreachable`),
  },
  {
    done: $`iptables -C FORWARD -j ufw-reject-forward`,
    run: $`iptables -I FORWARD -j ufw-reject-forward && iptables -I FORWARD -j ufw-before-forward`,
  },
];

export const fault: Fault = {
  id: 'ufw',
  title: 'A firewall like ufw refuses what the lab host forwards.',
  level: 2,
  needs: 'egress',
  excludes: ['drop-before-accept'],
  cause: 'ufw-refuses',
  symptoms: ['egress.ct1', 'egress.ct2', 'publish.outside'],
  inject: () => addUfwChains(),
  repair: () => [
    {
      done: not($`iptables -S ufw-reject-forward`),
      run: sh(`iptables -D FORWARD -j ufw-before-forward
iptables -D FORWARD -j ufw-reject-forward
for chain in ufw-before-forward ufw-reject-forward; do iptables -F "$chain"; iptables -X "$chain"; done`),
    },
  ],
  explanation:
    'Such a firewall puts its chains at the head of FORWARD. It accepts pings and packets of known connections, and refuses everything else, because it only knows the networks that it was configured for. So a working ping says nothing about TCP.',
};
