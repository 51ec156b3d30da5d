import { mark } from '../rules.ts';
import type { Scene, Sh } from '../script.ts';

type Rule = 'dnat' | 'local' | 'accept' | 'guard' | 'source' | 'hairpin';

/** The firewall rules of this chapter by step, as build adds and undo removes them. */
export const rules = ({ $, plan }: Pick<Scene, '$' | 'plan'>): Record<Rule, Sh> => {
  const { bridge, subnet, hostPort, containerPort, ct1 } = plan;
  const published = ['-m', 'addrtype', '--dst-type', 'LOCAL', '-p', 'tcp', '--dport', String(hostPort)];
  const target = ['-j', 'DNAT', '--to-destination', `${ct1.address}:${containerPort}`];
  const service = ['-d', ct1.address, '-p', 'tcp', '--dport', String(containerPort)];
  const sentOn = ['-m', 'conntrack', '--ctstate', 'DNAT'];
  return {
    dnat: $`iptables -t nat -A PREROUTING ${published} ${mark} ${target}`,
    local: $`iptables -t nat -A OUTPUT ${published} ${mark} ${target}`,
    accept: $`iptables -A FORWARD -o ${bridge} ${service} ${sentOn} ${mark} -j ACCEPT`,
    guard: $`iptables -t raw -A PREROUTING -i ${bridge} -d 127.0.0.0/8 ${mark} -j DROP`,
    source: $`iptables -t nat -A POSTROUTING -o ${bridge} -m addrtype --src-type LOCAL ${mark} -j MASQUERADE`,
    hairpin: $`iptables -t nat -A POSTROUTING -s ${subnet} ${service} ${sentOn} ${mark} -j MASQUERADE`,
  };
};
