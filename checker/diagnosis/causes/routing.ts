import { world } from '@handwired/host';
import type { ProbeId } from '../../evidence/probes.ts';
import type { Link, Route } from '../../facts/iproute.ts';
import type { Case } from '../../queries/check.ts';
import { command, ip, sysctl } from '../../queries/commands.ts';
import { findLink, findNetns, findPair } from '../../queries/links.ts';
import {
  answerTo,
  findPolicyRule,
  findDivertingRule,
  type Packet,
  routeTo,
  uplink,
  isWithin,
} from '../../queries/packet.ts';
import type { HopKind, Which } from '../../queries/paths.ts';
import { mayEndAt, type Walk } from '../../queries/walk.ts';
import { type Cause, traffic } from '../cause.ts';

const atRouting = { hop: 'routing', explains: traffic } as const;

/** The path's packet as the host's routing sees it. */
const makePacket = (lab: Case, { path, probe }: Walk): Packet | undefined => path.packet?.(lab, probe);

const renderRoute = (route: Route): string =>
  `${route.type === 'unicast' ? '' : `${route.type} `}${route.destination}${route.gateway === null ? '' : ` via ${route.gateway}`}${route.device === null ? '' : ` dev ${route.device}`}`;

/** Where the lab host sends packets, and whether it forwards those of others. */
export const routingCauses: Cause[] = [
  {
    ...atRouting,
    id: 'rp-filter-strict',
    structural: true,
    detect: (lab, walk) => {
      const packet = makePacket(lab, walk);
      const hop = (['routing', 'host'] as const).find((kind) => mayEndAt(walk, kind));
      if (!packet?.in || hop === undefined) return undefined;
      const { here } = lab.facts;
      const modes = ['all', packet.in].map((one) => Number(here.sysctls[`net/ipv4/conf/${one}/rp_filter`] ?? 0));
      const source = sourceSeen(lab, walk) ?? packet.source;
      const route = routeTo(here, source);
      const back = route?.device ?? uplink;
      if (Math.max(...modes) !== 1 || back === packet.in) return undefined;
      // A stray route explains the loss by itself, unless a policy rule routes the answer, or it leads to the same port.
      const apart = leadsInto(lab, back) || findPolicyRule(here, answerTo(packet)) !== undefined;
      if (route && route.protocol !== 'kernel' && !apart) return undefined;
      return {
        hop,
        seen: [`rp_filter for ${packet.in} is 1 (strict)`, `the way back to ${source} is by ${back}`],
        wrong: `${packet.in} drops what comes from ${source}: rp_filter is strict there, and the way back to ${source} leads by ${back}.`,
        mend: ['all', packet.in]
          .filter((one) => here.sysctls[`net/ipv4/conf/${one}/rp_filter`] === '1')
          .map((one) => sysctl(`net/ipv4/conf/${one}/rp_filter`, '2')),
      };
    },
  },
  {
    ...atRouting,
    id: 'policy-rule-diverts',
    structural: true,
    detect: (lab, walk) => {
      const packet = makePacket(lab, walk);
      if (!packet) return undefined;
      const places = [
        { netns: null, net: lab.facts.here },
        ...walk.path.containers.map((which) => ({
          netns: lab.plan[which].name,
          net: findNetns(lab.facts, lab.plan[which].name)?.net,
        })),
      ];
      for (const { netns, net } of places) {
        const rule = net ? findDivertingRule(net, [packet, answerTo(packet)]) : undefined;
        if (!rule) continue;
        const where = netns ?? 'the lab host';
        return {
          seen: [`${where} has the rule ${rule.priority}: ${rule.text}`],
          wrong: `On ${where} a rule of policy routing takes these packets before table main is asked: ${rule.priority}: ${rule.text}.`,
          mend: [ip(netns, 'rule', 'del', 'priority', rule.priority)],
        };
      }
      return undefined;
    },
  },
  {
    ...atRouting,
    id: 'host-route-diverts',
    structural: true,
    detect: (lab, walk) => {
      const packet = makePacket(lab, walk);
      if (!packet) return undefined;
      const { plan, facts } = lab;
      const inside = (address: string): boolean => isWithin(address, plan.subnet);
      for (const address of [packet.target, packet.source]) {
        const route = routeTo(facts.here, address);
        const wanted = inside(address) ? plan.bridge : uplink;
        const right =
          route?.type === 'unicast' && route.device === wanted && (!inside(address) || route.gateway === null);
        if (!route || route.protocol === 'kernel' || right) continue;
        const kind = route.type === 'unicast' ? [] : [route.type];
        return {
          seen: [`the lab host has the route ${renderRoute(route)}`],
          wrong: `A route on the lab host takes what goes to ${address}: ${renderRoute(route)}.`,
          mend: [ip(null, 'route', 'del', ...kind, route.destination)],
        };
      }
      return undefined;
    },
  },
  {
    ...atRouting,
    id: 'ip-forward-off',
    detect: (lab, walk) => {
      const { here } = lab.facts;
      const bridge = here.sysctls[`net/ipv4/conf/${lab.plan.bridge}/forwarding`];
      const out = here.sysctls[`net/ipv4/conf/${uplink}/forwarding`];
      const all = here.sysctls['net/ipv4/ip_forward'];
      if (all !== '0' || bridge !== '0' || out !== '0' || !mayEndAt(walk, 'routing')) return undefined;
      return {
        seen: ['net.ipv4.ip_forward is 0'],
        wrong: `It ends between ${lab.plan.bridge} and ${uplink}: forwarding is off for ${lab.plan.bridge} (net.ipv4.ip_forward is 0). A host that is no router takes only what is for itself.`,
        mend: [sysctl('net/ipv4/ip_forward', '1')],
      };
    },
  },
  {
    ...atRouting,
    id: 'forwarding-off-on-interface',
    detect: (lab, walk) => {
      const sysctls = lab.facts.here.sysctls;
      const key = (device: string): string => `net/ipv4/conf/${device}/forwarding`;
      const inward = walk.path.packet?.(lab, walk.probe).in === uplink;
      const [first, second] =
        mayEndAt(walk, 'routing', false) === inward ? [uplink, lab.plan.bridge] : [lab.plan.bridge, uplink];
      const device = [first, second].find((one) => sysctls[key(one)] === '0');
      if (device === undefined || !mayEndAt(walk, 'routing')) return undefined;
      return {
        back: !mayEndAt(walk, 'routing', false),
        seen: [`${key(device)} is 0`, `net.ipv4.ip_forward is ${sysctls['net/ipv4/ip_forward'] ?? 'unknown'}`],
        wrong: `What comes in by ${device} is not sent on: forwarding is off for ${device} (net.ipv4.ip_forward is ${sysctls['net/ipv4/ip_forward'] ?? 'unknown'}).`,
        mend: [sysctl(key(device), '1')],
      };
    },
  },
];

/** Is a link of the lab host the other end of a port of the bridge? */
function leadsInto({ facts, plan }: Case, device: string): boolean {
  const link = facts.here.links.find(({ name }) => name === device);
  const end = facts.here.links.find(({ index }) => link?.peer?.nsid === null && index === link.peer.index);
  return end?.master === plan.bridge;
}

/** The source address of the experiment's packets when they entered the lab host. */
const sourceSeen = ({ evidence }: Case, { probe, path }: Walk): string | undefined =>
  path.containers.length === 0
    ? undefined
    : evidence.seen.find((sight) => sight.probe === probe && sight.in === 'root' && sight.way === 'in')?.source;

/** The lab host's links between a container and the world, each with its kind of hop. */
const linksFrom = ({ facts, plan }: Case, which: Which): { hop: HopKind; link: Link }[] =>
  [
    { hop: 'veth' as const, link: findPair(facts, plan[which], plan)?.host },
    { hop: 'bridge' as const, link: findLink(facts.here.links, plan.bridge) },
    { hop: 'uplink' as const, link: findLink(facts.here.links, world.uplink.name) },
  ].flatMap(({ hop, link }) => (link ? [{ hop, link }] : []));

const short = { ct1: 'ct1>site', ct2: 'ct2>site' } as const satisfies Record<Which, ProbeId>;

/** Packets that are lost because of their length or their TTL; short packets, or those with a high TTL, pass. */
export const sizeCauses: Cause[] = [
  {
    id: 'mtu-too-small',
    hop: 'uplink',
    explains: ['egress.'],
    structural: true,
    detect: (lab, { path, probe }) => {
      const which = path.containers[0];
      if (which === undefined || probe?.endsWith(':large') !== true) return undefined;
      const { evidence, facts, plan } = lab;
      const own = findLink(findNetns(facts, plan[which].name)?.net?.links, plan.inner);
      if (!own || evidence.results[short[which]]?.ok !== true) return undefined;
      const found = linksFrom(lab, which).find(({ link }) => link.mtu < own.mtu);
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
    where: ({ plan }, { path }) =>
      `how long a packet may be on each link, and which length still passes: ip link; ip -n ${plan[path.containers[0] ?? 'ct1'].name} link; ip netns exec ${plan[path.containers[0] ?? 'ct1'].name} ping -M do -s 1400 -c 1 ${world.resolvers[0]}; iptables -nvL`,
  },
  {
    id: 'ttl-too-small',
    hop: 'routing',
    explains: ['egress.', 'dns.', 'publish.'],
    structural: true,
    detect: (lab, walk) => {
      const packet = walk.path.packet?.(lab, walk.probe);
      if (!packet || packet.in === undefined || packet.out === undefined || packet.in === packet.out) return undefined;
      for (const which of walk.path.containers) {
        const { name } = lab.plan[which];
        const ttl = findNetns(lab.facts, name)?.net?.sysctls['net/ipv4/ip_default_ttl'];
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
    where: ({ plan }) => `how far its packets may still go: tcpdump -vnni ${plan.bridge} -c 4; look at ttl`,
  },
];
