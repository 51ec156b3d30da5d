import type { Case } from '../../checks/check.ts';
import { linkOf, netnsOf } from '../../checks/look.ts';
import { unanswered } from '../../checks/trace.ts';
import type { Net } from '../../facts/facts.ts';
import type { Cause, Finding } from '../cause.ts';
import { ip, sysctl } from '../commands.ts';
import type { Which } from '../hops.ts';
import { within } from '../packet.ts';
import type { Walk } from '../walk.ts';

const traffic = ['connectivity.', 'egress.', 'dns.', 'publish.'] as const;
const common = { hop: 'inner', explains: traffic, structural: true } as const;

interface Side {
  which: Which;
  name: string;
  net: Net;
}

const sides = (the: Case, { path }: Walk): Side[] =>
  path.containers.flatMap((which) => {
    const { name } = the.plan[which];
    const net = netnsOf(the.facts, name)?.net;
    return net ? [{ which, name, net }] : [];
  });

/** MAC addresses of the plan's addresses, as the links have them. */
function macs({ facts, plan }: Case): Map<string, string> {
  const found = new Map<string, string>();
  const add = (address: string, mac: string | undefined) => mac !== undefined && found.set(address, mac);
  add(plan.gateway, linkOf(facts.here.links, plan.bridge)?.mac);
  for (const { name, address } of [plan.ct1, plan.ct2]) {
    add(address, linkOf(netnsOf(facts, name)?.net?.links, plan.inner)?.mac);
  }
  return found;
}

/** A permanent ARP entry that leads elsewhere. */
function falseEntry(the: Case, net: Net, netns: string | null, which: Which | undefined): Finding | undefined {
  const real = macs(the);
  const entry = net.neighbours.find(
    ({ address, mac, state }) =>
      state.includes('PERMANENT') && mac !== null && real.has(address) && real.get(address) !== mac,
  );
  if (!entry) return undefined;
  const where = netns ?? 'the lab host';
  return {
    which,
    seen: [
      `${where} has ${entry.address} at ${entry.mac ?? ''} for ever; its link has ${real.get(entry.address) ?? ''}`,
    ],
    wrong: `${where} does not ask for ${entry.address} by ARP: a permanent entry sends its frames to ${entry.mac ?? ''}, which is nobody's.`,
    mend: [ip(netns, 'neigh', 'del', entry.address, 'dev', entry.device)],
  };
}

/** Between neighbours: ARP, and who has which address. */
export const neighbours: Cause[] = [
  {
    ...common,
    id: 'mac-doubled',
    detect: (the) => {
      const { ct1, ct2, inner, bridge } = the.plan;
      const links = [
        ...[ct1, ct2].map(({ name }) => ({ name, mac: linkOf(netnsOf(the.facts, name)?.net?.links, inner)?.mac })),
        { name: 'the lab host', mac: linkOf(the.facts.here.links, bridge)?.mac },
      ];
      const twin = links.find(({ mac }, at) => mac !== undefined && links.findIndex((one) => one.mac === mac) < at);
      const first = links.find(({ mac }) => mac === twin?.mac);
      if (!twin || !first) return undefined;
      const owner = twin.name === ct2.name ? twin : first;
      return {
        seen: [`${first.name} and ${twin.name} both have ${twin.mac ?? ''}`],
        wrong: `Two links in one network have the MAC address ${twin.mac ?? ''}: ${first.name}'s and ${twin.name}'s. A bridge sends their frames to whichever spoke last.`,
        mend: [
          ip(owner.name, 'link', 'set', inner, 'address', fresh(twin.mac ?? '')),
          'ip neigh flush all',
          ...[ct1, ct2].map(({ name }) => ip(name, 'neigh', 'flush', 'all')),
        ],
      };
    },
  },
  {
    ...common,
    id: 'address-doubled',
    detect: (the) => {
      const { ct1, ct2, gateway, bridge } = the.plan;
      const places = [
        { netns: ct1.name, net: netnsOf(the.facts, ct1.name)?.net, foreign: [ct2.address, gateway] },
        { netns: ct2.name, net: netnsOf(the.facts, ct2.name)?.net, foreign: [ct1.address, gateway] },
        { netns: null, net: the.facts.here, foreign: [ct1.address, ct2.address] },
      ];
      for (const { netns, net, foreign } of places) {
        for (const link of net?.links ?? []) {
          const one = link.addresses.find(({ address }) => foreign.includes(address));
          if (!one) continue;
          const where = netns ?? 'the lab host';
          return {
            seen: [`${where} has ${one.address}/${one.prefix} on ${link.name}`],
            wrong: `Something else has the address ${one.address} too: ${where}, on ${link.name}. Its packets stay there.`,
            mend: [
              ip(netns, 'addr', 'del', `${one.address}/${one.prefix}`, 'dev', link.name),
              ip(null, 'neigh', 'flush', 'dev', bridge),
              ...[ct1, ct2].map(({ name }) => ip(name, 'neigh', 'flush', 'all')),
            ],
          };
        }
      }
      return undefined;
    },
  },
  {
    ...common,
    id: 'neighbour-entry-wrong',
    detect: (the, walk) => {
      const own = sides(the, walk).map(({ net, name, which }) => falseEntry(the, net, name, which));
      return own.find(Boolean) ?? falseEntry(the, the.facts.here, null, undefined);
    },
  },
  {
    ...common,
    id: 'arp-off',
    detect: (the, walk) => {
      const { plan, facts } = the;
      const off = sides(the, walk).find(({ net }) => linkOf(net.links, plan.inner)?.arp === false);
      const bridge = linkOf(facts.here.links, plan.bridge)?.arp === false;
      if (!off && !bridge) return undefined;
      const [where, netns, device] = off ? [off.name, off.name, plan.inner] : ['the lab host', null, plan.bridge];
      const address = off ? plan[off.which].address : plan.gateway;
      const asked =
        unanswered(the.evidence, plan.ct1.name, address) || unanswered(the.evidence, plan.ct2.name, address);
      return {
        which: off?.which,
        seen: [
          `${device} of ${where} has the flag NOARP`,
          ...(asked ? [`somebody asks who has ${address} (ARP), and nobody answers`] : []),
        ],
        wrong: `ARP is off on ${device} of ${where}: it answers nobody who asks who has ${address}, and asks nobody itself.`,
        mend: [ip(netns, 'link', 'set', device, 'arp', 'on')],
      };
    },
  },
  {
    ...common,
    id: 'proxy-arp',
    structural: false,
    hop: 'bridge',
    detect: (the) => {
      const { evidence, facts, plan } = the;
      const claimed = [plan.ct1.address, plan.ct2.address].find((address) =>
        evidence.seen.some(
          ({ what, way, in: where, device, source }) =>
            what === 'is-at' && way === 'out' && where === 'root' && device === plan.bridge && source === address,
        ),
      );
      const key = [`net/ipv4/conf/${plan.bridge}/proxy_arp`, 'net/ipv4/conf/all/proxy_arp'].find(
        (one) => facts.here.sysctls[one] === '1',
      );
      if (claimed === undefined || key === undefined) return undefined;
      return {
        seen: [`${plan.bridge} says that ${claimed} is at its own MAC address`, `${key} is 1`],
        wrong: `The lab host answers ARP for ${claimed}, which is not its own: proxy_arp is on.`,
        mend: [sysctl(key, '0')],
      };
    },
  },
  {
    ...common,
    id: 'inner-route-diverts',
    detect: (the, walk) => {
      const { plan } = the;
      for (const { which, name, net } of sides(the, walk)) {
        const other = plan[which === 'ct1' ? 'ct2' : 'ct1'].address;
        const packet = walk.path.packet?.(the, walk.probe);
        const peer = packet?.target === plan[which].address ? packet.source : packet?.target;
        const target = peer ?? other;
        const stray = net.routes.find(
          ({ destination, table, type, gateway }) =>
            ['main', 'default'].includes(table) &&
            destination !== 'default' &&
            destination !== plan.subnet &&
            !destination.includes(':') &&
            within(target, destination) &&
            (type !== 'unicast' || gateway !== plan.gateway),
        );
        if (!stray) continue;
        const kind = stray.type === 'unicast' ? [] : [stray.type];
        const via = stray.gateway === null ? '' : ` via ${stray.gateway}`;
        return {
          which,
          seen: [`${name} has the route ${[...kind, stray.destination].join(' ')}${via} dev ${stray.device ?? 'none'}`],
          wrong: `In ${name} a route of its own takes what goes to ${target}: ${[...kind, stray.destination].join(' ')}${via}.`,
          mend: [ip(name, 'route', 'del', ...kind, stray.destination)],
        };
      }
      return undefined;
    },
  },
];

/** A locally administered MAC address that differs from the given one. */
const fresh = (mac: string): string => (mac.startsWith('02:68:77:00:00:0') ? '02:68:77:00:00:0b' : '02:68:77:00:00:0a');
