import { mark } from '../rules.ts';
import type { Scene, Sh } from '../script.ts';

/** The firewall rules of this chapter by step, as build adds and undo removes them. */
export const rules = ({
  $,
  plan,
}: Pick<Scene, '$' | 'plan'>): Record<'protect' | 'out' | 'back' | 'masquerade', Sh[]> => {
  const { bridge, subnet, ct1, ct2 } = plan;
  return {
    protect: [ct1, ct2].map(
      ({ address }) => $`iptables -t raw -A PREROUTING -d ${address} ! -i ${bridge} ${mark} -j DROP`,
    ),
    out: [$`iptables -A FORWARD -i ${bridge} ! -o ${bridge} ${mark} -j ACCEPT`],
    back: [$`iptables -A FORWARD -o ${bridge} -m conntrack --ctstate RELATED,ESTABLISHED ${mark} -j ACCEPT`],
    masquerade: [$`iptables -t nat -A POSTROUTING -s ${subnet} ! -o ${bridge} ${mark} -j MASQUERADE`],
  };
};

/** The note that holds ip_forward as it was. */
export const forwardingNote = 'ip_forward';
