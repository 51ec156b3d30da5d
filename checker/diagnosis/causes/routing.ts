import type { Case } from '../../checks/check.ts';
import { netnsOf } from '../../checks/look.ts';
import type { Route } from '../../facts/iproute.ts';
import type { Cause } from '../cause.ts';
import { ip, sysctl } from '../commands.ts';
import { answerTo, type Packet, uplink, within } from '../packet.ts';
import { deciding, diverting, routeTo } from '../policy.ts';
import { mayEndAt, type Walk } from '../walk.ts';

const traffic = ['connectivity.', 'egress.', 'dns.', 'publish.'] as const;
const common = { hop: 'routing', explains: traffic } as const;

/** Where the packet meets the host's routing: both its ways. */
const packetOf = (the: Case, { path, probe }: Walk): Packet | undefined => path.packet?.(the, probe);

const textOf = (route: Route): string =>
  `${route.type === 'unicast' ? '' : `${route.type} `}${route.destination}${route.gateway === null ? '' : ` via ${route.gateway}`}${route.device === null ? '' : ` dev ${route.device}`}`;

/** Where the lab host sends packets, and whether it sends on those of others. */
export const routing: Cause[] = [
  {
    ...common,
    id: 'rp-filter-strict',
    structural: true,
    detect: (the, walk) => {
      const packet = packetOf(the, walk);
      const hop = (['routing', 'host'] as const).find((kind) => mayEndAt(walk, kind));
      if (!packet?.in || hop === undefined) return undefined;
      const { here } = the.facts;
      const modes = ['all', packet.in].map((one) => Number(here.sysctls[`net/ipv4/conf/${one}/rp_filter`] ?? 0));
      const source = sourceSeen(the, walk) ?? packet.source;
      const route = routeTo(here, source);
      const back = route?.device ?? uplink;
      if (Math.max(...modes) !== 1 || back === packet.in) return undefined;
      // A stray route loses the answer as well; not where the answer goes another way, or this one leads to the same.
      const apart = leadsInto(the, back) || deciding(here, answerTo(packet)) !== undefined;
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
    ...common,
    id: 'policy-rule-diverts',
    structural: true,
    detect: (the, walk) => {
      const packet = packetOf(the, walk);
      if (!packet) return undefined;
      const places = [
        { netns: null, net: the.facts.here },
        ...walk.path.containers.map((which) => ({
          netns: the.plan[which].name,
          net: netnsOf(the.facts, the.plan[which].name)?.net,
        })),
      ];
      for (const { netns, net } of places) {
        const rule = net ? diverting(net, [packet, answerTo(packet)]) : undefined;
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
    ...common,
    id: 'host-route-diverts',
    structural: true,
    detect: (the, walk) => {
      const packet = packetOf(the, walk);
      if (!packet) return undefined;
      const { plan, facts } = the;
      const inside = (address: string): boolean => within(address, plan.subnet);
      for (const address of [packet.target, packet.source]) {
        const route = routeTo(facts.here, address);
        const wanted = inside(address) ? plan.bridge : uplink;
        const right =
          route?.type === 'unicast' && route.device === wanted && (!inside(address) || route.gateway === null);
        if (!route || route.protocol === 'kernel' || right) continue;
        const kind = route.type === 'unicast' ? [] : [route.type];
        return {
          seen: [`the lab host has the route ${textOf(route)}`],
          wrong: `A route on the lab host takes what goes to ${address}: ${textOf(route)}.`,
          mend: [ip(null, 'route', 'del', ...kind, route.destination)],
        };
      }
      return undefined;
    },
  },
  {
    ...common,
    id: 'ip-forward-off',
    detect: (the, walk) => {
      const { here } = the.facts;
      const bridge = here.sysctls[`net/ipv4/conf/${the.plan.bridge}/forwarding`];
      const out = here.sysctls[`net/ipv4/conf/${uplink}/forwarding`];
      const all = here.sysctls['net/ipv4/ip_forward'];
      if (all !== '0' || bridge !== '0' || out !== '0' || !mayEndAt(walk, 'routing')) return undefined;
      return {
        seen: ['net.ipv4.ip_forward is 0'],
        wrong: `It ends between ${the.plan.bridge} and ${uplink}: forwarding is off for ${the.plan.bridge} (net.ipv4.ip_forward is 0). A host that is no router takes only what is for itself.`,
        mend: [sysctl('net/ipv4/ip_forward', '1')],
      };
    },
  },
  {
    ...common,
    id: 'forwarding-off-on-interface',
    detect: (the, walk) => {
      const sysctls = the.facts.here.sysctls;
      const key = (device: string): string => `net/ipv4/conf/${device}/forwarding`;
      const inward = walk.path.packet?.(the, walk.probe).in === uplink;
      const [first, second] =
        mayEndAt(walk, 'routing', false) === inward ? [uplink, the.plan.bridge] : [the.plan.bridge, uplink];
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

/** The source that the experiment's packets had where they came into the lab host. */
const sourceSeen = ({ evidence }: Case, { probe, path }: Walk): string | undefined =>
  path.containers.length === 0
    ? undefined
    : evidence.seen.find((sight) => sight.probe === probe && sight.in === 'root' && sight.way === 'in')?.source;
