import type { Case } from '../../queries/check.ts';
import { bridge as whole, cable, command, ip, plug, settle } from '../../queries/commands.ts';
import {
  listAddresses,
  findLink,
  joinWords,
  findNetns,
  findNewLinks,
  findPair,
  findPairs,
} from '../../queries/links.ts';
import type { Which } from '../../queries/paths.ts';
import { mayEndAt, type Walk } from '../../queries/walk.ts';
import type { Cause, Finding } from '../cause.ts';

const atBridge = { hop: 'bridge', structural: true } as const;

/** Chapter 02: the bridge itself. */
export const bridgeCauses: Cause[] = [
  {
    ...atBridge,
    id: 'bridge-missing',
    explains: ['bridge.exists'],
    detect: (lab) => {
      const { facts, baseline, plan } = lab;
      const link = findLink(facts.here.links, plan.bridge);
      if (link?.kind === 'bridge') return undefined;
      const others = findNewLinks(facts, baseline, 'bridge').map(({ name }) => name);
      const inside = facts.namespaces.find(({ net }) => findLink(net?.links, plan.bridge));
      const wrong = link
        ? `${plan.bridge} is of kind ${link.kind ?? 'none'}: it is no bridge.`
        : inside
          ? `${plan.bridge} is in ${inside.name}; it belongs to the lab host.`
          : others.length > 0
            ? `There is a bridge ${joinWords(others)}; the plan calls it ${plan.bridge}.`
            : `The lab host has no bridge ${plan.bridge}.`;
      const away = link
        ? [ip(null, 'link', 'del', plan.bridge)]
        : inside
          ? [ip(inside.name, 'link', 'del', plan.bridge)]
          : [];
      return {
        seen: [`bridges of yours on the lab host: ${joinWords(others)}`],
        wrong,
        mend: [...away, ...whole(lab)],
      };
    },
  },
  {
    ...atBridge,
    id: 'bridge-address-wrong-mask',
    explains: ['bridge.address'],
    detect: ({ facts, plan }) => {
      const wanted = `${plan.gateway}/${plan.prefix}`;
      const found = listAddresses(findLink(facts.here.links, plan.bridge));
      const near = found.find((entry) => entry.startsWith(`${plan.gateway}/`));
      if (!near || found.includes(wanted)) return undefined;
      return {
        seen: [`${plan.bridge} has ${joinWords(found)}`],
        wrong: `The address is right, its prefix is not: without /${plan.prefix} it is ${near}.`,
        mend: [ip(null, 'addr', 'del', near, 'dev', plan.bridge), ip(null, 'addr', 'add', wanted, 'dev', plan.bridge)],
      };
    },
  },
  {
    ...atBridge,
    id: 'bridge-address-missing',
    explains: ['bridge.address'],
    detect: ({ facts, plan }) => {
      const wanted = `${plan.gateway}/${plan.prefix}`;
      const link = findLink(facts.here.links, plan.bridge);
      if (link?.kind !== 'bridge' || listAddresses(link).includes(wanted)) return undefined;
      const elsewhere = facts.here.links.find((one) => listAddresses(one).includes(wanted));
      const found = listAddresses(link);
      return {
        seen: [`${plan.bridge} has ${joinWords(found)}`],
        wrong: elsewhere
          ? `${wanted} is on ${elsewhere.name}, and belongs on ${plan.bridge}.`
          : `${plan.bridge} has not the gateway's address ${wanted}${found.length > 0 ? `, but ${joinWords(found)}` : ''}.`,
        mend: [
          ...(elsewhere ? [ip(null, 'addr', 'del', wanted, 'dev', elsewhere.name)] : []),
          ip(null, 'addr', 'add', wanted, 'dev', plan.bridge),
        ],
      };
    },
  },
  {
    ...atBridge,
    id: 'bridge-down',
    explains: ['bridge.up'],
    detect: ({ facts, plan }) => {
      const link = findLink(facts.here.links, plan.bridge);
      if (link?.kind !== 'bridge' || link.up) return undefined;
      return {
        seen: [`${plan.bridge} is without the flag UP`],
        wrong: `${plan.bridge} is down: it forwards nothing, and its route is not used. A new link is down until it is set up.`,
        mend: [ip(null, 'link', 'set', plan.bridge, 'up')],
      };
    },
  },
];

const atVeth = { hop: 'veth', structural: true } as const;

/** Runs a test on each container of the path. Gives the first finding. */
const firstOfPath = (lab: Case, { path }: Walk, test: (which: Which) => Finding | undefined): Finding | undefined =>
  path.containers.map((which) => (findNetns(lab.facts, lab.plan[which].name) ? test(which) : undefined)).find(Boolean);

function missing(lab: Case, which: Which): Finding | undefined {
  const { facts, baseline, plan } = lab;
  const { name } = plan[which];
  if (findPairs(facts, plan[which]).length > 0) return undefined;
  const inner = (findNetns(facts, name)?.net?.links ?? []).filter(({ loopback }) => !loopback);
  const loose = findNewLinks(facts, baseline, 'veth').filter(({ peer }) => peer?.nsid === null);
  const vethCauses = inner.find(({ kind }) => kind === 'veth');
  const end = loose.find((one) => one.name === plan[which].peer) ?? loose.find((one) => one.master === null);
  const seen = [`${name} has ${joinWords(['lo', ...inner.map((link) => `${link.name} (${link.kind ?? 'no kind'})`)])}`];
  if (!vethCauses && end) {
    const wrong = `Both ends of ${end.name} are still on the lab host: one must move into ${name}.`;
    return { which, seen, wrong, mend: moved(lab, which, end.name) };
  }
  const wrong = vethCauses
    ? `The other end of ${vethCauses.name} is not on the lab host.`
    : `No veth pair leads from ${name} to the lab host: it was never made, or one of its ends was deleted, and the other with it.`;
  return { which, seen, wrong, mend: cable(lab, which) };
}

/** The commands that move one end of a veth from the lab host into the container. */
const moved = (lab: Case, which: Which, end: string): string[] => [
  ip(null, 'link', 'set', end, 'netns', lab.plan[which].name, 'name', lab.plan.inner),
  ...(lab.record.begun.addressing === undefined ? [] : settle(lab, which)),
];

/** Chapter 03: the veth pairs, by the kernel's data about their ends. */
export const veth: Cause[] = [
  {
    ...atVeth,
    id: 'veth-missing',
    explains: ['veth.ct', 'addressing.'],
    detect: (lab, walk) => firstOfPath(lab, walk, (which) => missing(lab, which)),
  },
  {
    ...atVeth,
    id: 'veth-in-no-bridge',
    explains: ['veth.'],
    detect: (lab, walk) =>
      firstOfPath(lab, walk, (which) => {
        const host = findPair(lab.facts, lab.plan[which], lab.plan)?.host;
        if (!host || host.master !== null) return undefined;
        return {
          which,
          seen: [`${host.name} has no master`],
          wrong: `A cable that ends in no switch: its host end ${host.name} must have master ${lab.plan.bridge}.`,
          mend: plug(lab, which),
        };
      }),
  },
  {
    ...atVeth,
    id: 'veth-in-wrong-bridge',
    explains: ['veth.'],
    detect: (lab, walk) =>
      firstOfPath(lab, walk, (which) => {
        const host = findPair(lab.facts, lab.plan[which], lab.plan)?.host;
        if (!host || host.master === null || host.master === lab.plan.bridge) return undefined;
        return {
          which,
          seen: [`${host.name} has the master ${host.master}`],
          wrong: `${host.name} is plugged into ${host.master}: it must have master ${lab.plan.bridge}.`,
          mend: plug(lab, which),
        };
      }),
  },
  {
    ...atVeth,
    id: 'veth-host-end-down',
    explains: ['veth.'],
    detect: (lab, walk) =>
      firstOfPath(lab, walk, (which) => {
        const host = findPair(lab.facts, lab.plan[which], lab.plan)?.host;
        if (!host || host.up) return undefined;
        return {
          which,
          seen: [`${host.name} is without the flag UP`],
          wrong: `${host.name}, ${lab.plan[which].name}'s end on the lab host, is down: a veth end that is down takes the carrier from the other end too.`,
          mend: [ip(null, 'link', 'set', host.name, 'up')],
        };
      }),
  },
  {
    id: 'veth-port-isolated',
    hop: 'bridge',
    explains: ['connectivity.'],
    detect: (lab, walk) => {
      const ends = walk.path.containers.map((which) => findPair(lab.facts, lab.plan[which], lab.plan)?.host.name);
      const isolated = lab.facts.here.ports.filter(({ device, isolated: alone }) => alone && ends.includes(device));
      if (ends.length < 2 || isolated.length < 2 || !mayEndAt(walk, 'bridge')) return undefined;
      const [from, to] = walk.path.containers.map((which) => lab.plan[which]);
      const names = isolated.map(({ device }) => device);
      return {
        seen: [`isolated ports of ${lab.plan.bridge}: ${joinWords(names)}`],
        wrong: `${from?.name ?? ''} asks who has ${to?.address ?? ''} (ARP), and nobody answers: isolated ports of a bridge exchange no frames with each other.`,
        mend: names.map((name) => command('bridge', 'link', 'set', 'dev', name, 'isolated', 'off')),
      };
    },
  },
  {
    ...atVeth,
    id: 'inner-name-wrong',
    hop: 'inner',
    explains: ['addressing.'],
    detect: (lab, walk) =>
      firstOfPath(lab, walk, (which) => {
        const { name } = lab.plan[which];
        const inner = findPair(lab.facts, lab.plan[which], lab.plan)?.inner;
        if (!inner || inner.name === lab.plan.inner) return undefined;
        const taken = findLink(findNetns(lab.facts, name)?.net?.links, lab.plan.inner);
        return {
          which,
          seen: [`the end in ${name} is ${inner.name}`],
          wrong: `The end in ${name} is called ${inner.name}: it must become ${lab.plan.inner}.`,
          mend: [
            ...(taken ? [ip(name, 'link', 'del', lab.plan.inner)] : []),
            ip(name, 'link', 'set', inner.name, 'down'),
            ip(name, 'link', 'set', inner.name, 'name', lab.plan.inner),
            ...settle(lab, which),
          ],
        };
      }),
  },
];
