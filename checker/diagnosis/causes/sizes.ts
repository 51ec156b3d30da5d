import { world } from '@handwired/host';
import type { Case } from '../../checks/check.ts';
import { linkOf, netnsOf, pairOf } from '../../checks/look.ts';
import type { Link } from '../../facts/iproute.ts';
import type { ProbeId } from '../../probes/list.ts';
import type { Cause } from '../cause.ts';
import { command, ip } from '../commands.ts';
import type { HopKind, Which } from '../hops.ts';

/** The links between a container's own and the world, with the hops that they are. */
const linksFrom = ({ facts, plan }: Case, which: Which): { hop: HopKind; link: Link }[] =>
  [
    { hop: 'veth' as const, link: pairOf(facts, plan[which], plan)?.host },
    { hop: 'bridge' as const, link: linkOf(facts.here.links, plan.bridge) },
    { hop: 'uplink' as const, link: linkOf(facts.here.links, world.uplink.name) },
  ].flatMap(({ hop, link }) => (link ? [{ hop, link }] : []));

const short = { ct1: 'ct1>site', ct2: 'ct2>site' } as const satisfies Record<Which, ProbeId>;

/** What is lost for its length, or for its age: short and young packets pass. */
export const sizes: Cause[] = [
  {
    id: 'mtu-too-small',
    hop: 'uplink',
    explains: ['egress.'],
    structural: true,
    detect: (the, { path, probe }) => {
      const which = path.containers[0];
      if (which === undefined || probe?.endsWith(':large') !== true) return undefined;
      const { evidence, facts, plan } = the;
      const own = linkOf(netnsOf(facts, plan[which].name)?.net?.links, plan.inner);
      if (!own || evidence.results[short[which]]?.ok !== true) return undefined;
      const found = linksFrom(the, which).find(({ link }) => link.mtu < own.mtu);
      if (!found) return undefined;
      const { hop, link } = found;
      return {
        hop,
        which,
        seen: [
          `${link.name} has mtu ${link.mtu}, ${own.name} in ${plan[which].name} has ${own.mtu}`,
          `a short request was answered; a long one was not: ${evidence.results[probe]?.error ?? ''}`,
        ],
        wrong: `${link.name} takes packets of at most ${link.mtu} bytes, ${plan[which].name} sends and is sent ${own.mtu}, and nobody tells either of them (ICMP, fragmentation needed): what is longer is lost.`,
        mend: [ip(null, 'link', 'set', link.name, 'mtu', own.mtu)],
      };
    },
    look: ({ plan }, { path }) =>
      `how long a packet may be on each link, and which length still passes: ip link; ip -n ${plan[path.containers[0] ?? 'ct1'].name} link; ip netns exec ${plan[path.containers[0] ?? 'ct1'].name} ping -M do -s 1400 -c 1 ${world.resolvers[0]}; iptables -nvL`,
  },
  {
    id: 'ttl-too-small',
    hop: 'routing',
    explains: ['egress.', 'dns.', 'publish.'],
    structural: true,
    detect: (the, walk) => {
      const packet = walk.path.packet?.(the, walk.probe);
      if (!packet || packet.in === undefined || packet.out === undefined || packet.in === packet.out) return undefined;
      for (const which of walk.path.containers) {
        const { name } = the.plan[which];
        const ttl = netnsOf(the.facts, name)?.net?.sysctls['net/ipv4/ip_default_ttl'];
        if (ttl === undefined || Number(ttl) > 1) continue;
        return {
          which,
          back: packet.in === world.uplink.name,
          seen: [`net/ipv4/ip_default_ttl in ${name} is ${ttl}`],
          wrong: `${name} sends its packets with a time to live of ${ttl}: the first router that they come to, the lab host, takes one off and drops them.`,
          mend: [command('ip', 'netns', 'exec', name, 'sysctl', '-w', 'net/ipv4/ip_default_ttl=64')],
        };
      }
      return undefined;
    },
    look: ({ plan }) => `how far its packets may still go: tcpdump -vnni ${plan.bridge} -c 4; look at ttl`,
  },
];
