import type { Net } from '../../facts/facts.ts';
import type { Case } from '../../queries/check.ts';
import { command, ip, sysctl } from '../../queries/commands.ts';
import { containers, findLink, findNetns, findPair } from '../../queries/links.ts';
import { findNftDrop } from '../../queries/nftables.ts';
import { isWithin } from '../../queries/packet.ts';
import type { Which } from '../../queries/paths.ts';
import { isUnanswered } from '../../queries/sights.ts';
import { mayEndAt, type Walk } from '../../queries/walk.ts';
import { type Cause, type Finding, traffic } from '../cause.ts';
import { nativeMend } from './firewall.ts';

const atNeighbour = { hop: 'inner', explains: traffic, structural: true } as const;

interface Side {
  which: Which;
  name: string;
  net: Net;
}

const sides = (lab: Case, { path }: Walk): Side[] =>
  path.containers.flatMap((which) => {
    const { name } = lab.plan[which];
    const net = findNetns(lab.facts, name)?.net;
    return net ? [{ which, name, net }] : [];
  });

/** The real MAC address of each of the plan's addresses. */
function macs({ facts, plan }: Case): Map<string, string> {
  const found = new Map<string, string>();
  const add = (address: string, mac: string | undefined) => mac !== undefined && found.set(address, mac);
  add(plan.gateway, findLink(facts.here.links, plan.bridge)?.mac);
  for (const { name, address } of [plan.ct1, plan.ct2]) {
    add(address, findLink(findNetns(facts, name)?.net?.links, plan.inner)?.mac);
  }
  return found;
}

/** Finds a permanent ARP entry with a wrong MAC address. */
function falseEntry(lab: Case, net: Net, netns: string | null, which: Which | undefined): Finding | undefined {
  const real = macs(lab);
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

/** Causes between neighbours: ARP, and addresses. */
export const neighbourCauses: Cause[] = [
  {
    ...atNeighbour,
    id: 'mac-doubled',
    detect: (lab) => {
      const { ct1, ct2, inner, bridge } = lab.plan;
      const links = [
        ...[ct1, ct2].map(({ name }) => ({ name, mac: findLink(findNetns(lab.facts, name)?.net?.links, inner)?.mac })),
        { name: 'the lab host', mac: findLink(lab.facts.here.links, bridge)?.mac },
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
    ...atNeighbour,
    id: 'address-doubled',
    detect: (lab) => {
      const { ct1, ct2, gateway, bridge } = lab.plan;
      const places = [
        { netns: ct1.name, net: findNetns(lab.facts, ct1.name)?.net, foreign: [ct2.address, gateway] },
        { netns: ct2.name, net: findNetns(lab.facts, ct2.name)?.net, foreign: [ct1.address, gateway] },
        { netns: null, net: lab.facts.here, foreign: [ct1.address, ct2.address] },
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
    ...atNeighbour,
    id: 'neighbour-entry-wrong',
    detect: (lab, walk) => {
      const own = sides(lab, walk).map(({ net, name, which }) => falseEntry(lab, net, name, which));
      return own.find(Boolean) ?? falseEntry(lab, lab.facts.here, null, undefined);
    },
  },
  {
    ...atNeighbour,
    id: 'arp-off',
    detect: (lab, walk) => {
      const { plan, facts } = lab;
      const off = sides(lab, walk).find(({ net }) => findLink(net.links, plan.inner)?.arp === false);
      const bridge = findLink(facts.here.links, plan.bridge)?.arp === false;
      if (!off && !bridge) return undefined;
      const [where, netns, device] = off ? [off.name, off.name, plan.inner] : ['the lab host', null, plan.bridge];
      const address = off ? plan[off.which].address : plan.gateway;
      const asked =
        isUnanswered(lab.evidence, plan.ct1.name, address) || isUnanswered(lab.evidence, plan.ct2.name, address);
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
    ...atNeighbour,
    id: 'proxy-arp',
    structural: false,
    hop: 'bridge',
    detect: (lab) => {
      const { evidence, facts, plan } = lab;
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
    ...atNeighbour,
    id: 'inner-route-diverts',
    detect: (lab, walk) => {
      const { plan } = lab;
      for (const { which, name, net } of sides(lab, walk)) {
        const other = plan[which === 'ct1' ? 'ct2' : 'ct1'].address;
        const packet = walk.path.packet?.(lab, walk.probe);
        const peer = packet?.target === plan[which].address ? packet.source : packet?.target;
        const target = peer ?? other;
        const stray = net.routes.find(
          ({ destination, table, type, gateway }) =>
            ['main', 'default'].includes(table) &&
            destination !== 'default' &&
            destination !== plan.subnet &&
            !destination.includes(':') &&
            isWithin(target, destination) &&
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

/** The containers of a path and the lab host, each with its name and the words that run a command inside (`inside`). */
const listInterfaces = ({ facts, plan }: Case, { path }: Walk) => [
  ...path.containers.map((which) => ({
    which: which,
    name: plan[which].name,
    address: plan[which].address,
    device: plan.inner,
    net: findNetns(facts, plan[which].name)?.net,
    inside: ['ip', 'netns', 'exec', plan[which].name],
  })),
  { which: undefined, name: 'the lab host', address: plan.gateway, device: plan.bridge, net: facts.here, inside: [] },
];

const settingAt = (inside: readonly string[], key: string, value: string): string =>
  inside.length === 0 ? sysctl(key, value) : `${command(...inside)} ${sysctl(key, value)}`;

/** Receivers that stay silent although packets reach them. */
export const silentCauses: Cause[] = [
  {
    id: 'port-disabled',
    hop: 'bridge',
    explains: traffic,
    structural: true,
    detect: (lab, { path }) => {
      for (const which of path.containers) {
        const host = findPair(lab.facts, lab.plan[which], lab.plan)?.host;
        const port = lab.facts.here.ports.find(({ device }) => device === host?.name);
        if (!host?.up || !host.carrier || !port || port.state === 'forwarding') continue;
        // With STP on, the bridge itself disables a port for a while.
        if (findLink(lab.facts.here.links, lab.plan.bridge)?.bridge?.stp !== 0) continue;
        return {
          which,
          seen: [`${host.name} is up, and its port of ${lab.plan.bridge} is in the state ${port.state}`],
          wrong: `${host.name} is a port of ${lab.plan.bridge} in the state ${port.state}: the link is up, and the bridge neither takes nor sends a frame there.`,
          mend: [command('bridge', 'link', 'set', 'dev', host.name, 'state', 3)],
        };
      }
      return undefined;
    },
  },
  {
    id: 'bridge-family-drops',
    hop: 'bridge',
    explains: traffic,
    detect: (lab, walk) => {
      const packet = walk.path.packet?.(lab, walk.probe);
      const ends = walk.path.containers.map((which) => findPair(lab.facts, lab.plan[which], lab.plan)?.host.name);
      if (!packet || ends.length < 2 || !mayEndAt(walk, 'bridge')) return undefined;
      const drop = findNftDrop(lab.facts.here, 'forward', { ...packet, in: ends[0], out: ends[1] }, ['bridge']);
      if (!drop) return undefined;
      const by = drop.rule?.shown ?? 'its policy';
      return {
        seen: [`${by} of ${drop.chain} takes ${packet.protocol} from ${packet.source} to ${packet.target}`],
        wrong: `A chain of nft's family bridge drops it between two ports, where no chain of ip or inet sees it: ${drop.chain}, ${by}.`,
        mend: nativeMend(drop),
      };
    },
    where: ({ plan }) =>
      `which rules judge frames between two ports: nft list ruleset bridge; bridge -d link show master ${plan.bridge}`,
  },
  {
    id: 'arp-ignored',
    hop: 'inner',
    explains: traffic,
    structural: true,
    detect: (lab, walk) => {
      for (const { which, name, address, device, net, inside } of listInterfaces(lab, walk)) {
        const keys = ['all', device].map((one) => `net/ipv4/conf/${one}/arp_ignore`);
        const key = keys.find((one) => Number(net?.sysctls[one] ?? 0) >= 8);
        if (key === undefined) continue;
        return {
          ...(which ? { which } : { hop: 'bridge' as const }),
          seen: [`${key} of ${name} is ${net?.sysctls[key] ?? ''}`],
          wrong: `${name} answers nobody who asks by ARP who has ${address}: ${key} is ${net?.sysctls[key] ?? ''}, so it ignores such questions for all of its addresses.`,
          mend: [settingAt(inside, key, '0')],
        };
      }
      return undefined;
    },
    where: () =>
      'who asks by ARP, who answers, and by which settings: tcpdump -nni any -c 6 arp; sysctl -a --pattern arp_',
  },
  {
    id: 'echo-ignored',
    hop: 'server',
    explains: ['connectivity.'],
    structural: true,
    detect: (lab, walk) => {
      const packet = walk.path.packet?.(lab, walk.probe);
      const at = listInterfaces(lab, walk).find(({ address }) => address === packet?.target);
      const key = 'net/ipv4/icmp_echo_ignore_all';
      if (!at || Number(at.net?.sysctls[key] ?? 0) !== 1) return undefined;
      return {
        ...(at.which ? { which: at.which } : { hop: 'host' as const }),
        seen: [`${key} of ${at.name} is 1`],
        wrong: `${at.name} gets the echo request and answers none: ${key} is 1. Nothing is wrong on the way there.`,
        mend: [settingAt(at.inside, key, '0')],
      };
    },
  },
];

/** A container's cached MAC address of its gateway that differs from the bridge's; undefined: none. */
function findStaleEntry(
  { facts, plan }: Case,
  which: Which,
): { which: Which; name: string; old: string; real: string } | undefined {
  const { name } = plan[which];
  const net = findNetns(facts, name)?.net;
  const real = findLink(facts.here.links, plan.bridge)?.mac;
  const old = net?.neighbours.find(
    ({ address, device, mac, state }) =>
      address === plan.gateway && device === plan.inner && mac !== null && !state.includes('PERMANENT'),
  )?.mac;
  return real && old && old !== real ? { which, name, old, real } : undefined;
}

/** The bridge's MAC address has changed, and a container still uses the old one. */
export const staleCauses: Cause[] = [
  {
    id: 'neighbour-stale',
    hop: 'bridge',
    explains: traffic,
    detect: (lab, { path }) => {
      const { bridge, gateway, inner } = lab.plan;
      const old = containers.flatMap((which) => findStaleEntry(lab, which) ?? []);
      const one = old.find(({ which }) => path.containers.includes(which));
      if (!one) return undefined;
      return {
        seen: [`${one.name} has ${gateway} at ${one.old}; ${bridge} has ${one.real}`],
        wrong: `${one.name} still sends what is for ${gateway} to ${one.old}, which ${bridge} had before: a bridge without a MAC address of its own takes the lowest of its ports'. The kernel asks again by itself after some seconds.`,
        mend: old.map(({ name }) => ip(name, 'neigh', 'flush', 'dev', inner)),
      };
    },
    where: ({ plan }, { path }) =>
      `which MAC address the gateway has, and which is taken for it: ip link show ${plan.bridge}; ${path.containers.map((which) => `ip -n ${plan[which].name} neigh`).join('; ')}`,
  },
];
