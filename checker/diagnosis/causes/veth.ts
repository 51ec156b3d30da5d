import type { Case } from '../../checks/check.ts';
import { linkOf, listOf, netnsOf, newLinks, pairOf, pairsOf } from '../../checks/look.ts';
import type { Cause, Finding } from '../cause.ts';
import { cable, command, ip, plug, settle } from '../commands.ts';
import type { Which } from '../hops.ts';
import { mayEndAt, type Walk } from '../walk.ts';

const common = { hop: 'veth', structural: true } as const;

/** The first container of the path that a test holds for. */
const first = (the: Case, { path }: Walk, test: (which: Which) => Finding | undefined): Finding | undefined =>
  path.containers.map((which) => (netnsOf(the.facts, the.plan[which].name) ? test(which) : undefined)).find(Boolean);

function missing(the: Case, which: Which): Finding | undefined {
  const { facts, baseline, plan } = the;
  const { name } = plan[which];
  if (pairsOf(facts, plan[which]).length > 0) return undefined;
  const inner = (netnsOf(facts, name)?.net?.links ?? []).filter(({ loopback }) => !loopback);
  const loose = newLinks(facts, baseline, 'veth').filter(({ peer }) => peer?.nsid === null);
  const veth = inner.find(({ kind }) => kind === 'veth');
  const end = loose.find((one) => one.name === plan[which].peer) ?? loose.find((one) => one.master === null);
  const seen = [`${name} has ${listOf(['lo', ...inner.map((link) => `${link.name} (${link.kind ?? 'no kind'})`)])}`];
  if (!veth && end) {
    const wrong = `Both ends of ${end.name} are still on the lab host: one must move into ${name}.`;
    return { which, seen, wrong, mend: moved(the, which, end.name) };
  }
  const wrong = veth
    ? `The other end of ${veth.name} is not on the lab host.`
    : `No veth pair leads from ${name} to the lab host: it was never made, or one of its ends was deleted, and the other with it.`;
  return { which, seen, wrong, mend: cable(the, which) };
}

/** One end from the lab host into the container. */
const moved = (the: Case, which: Which, end: string): string[] => [
  ip(null, 'link', 'set', end, 'netns', the.plan[which].name, 'name', the.plan.inner),
  ...(the.record.begun.addressing === undefined ? [] : settle(the, which)),
];

/** Chapter 03: the cables, by what the kernel says of their ends. */
export const veth: Cause[] = [
  {
    ...common,
    id: 'veth-missing',
    explains: ['veth.ct', 'addressing.'],
    detect: (the, walk) => first(the, walk, (which) => missing(the, which)),
  },
  {
    ...common,
    id: 'veth-in-no-bridge',
    explains: ['veth.'],
    detect: (the, walk) =>
      first(the, walk, (which) => {
        const host = pairOf(the.facts, the.plan[which], the.plan)?.host;
        if (!host || host.master !== null) return undefined;
        return {
          which,
          seen: [`${host.name} has no master`],
          wrong: `A cable that ends in no switch: its host end ${host.name} must have master ${the.plan.bridge}.`,
          mend: plug(the, which),
        };
      }),
  },
  {
    ...common,
    id: 'veth-in-wrong-bridge',
    explains: ['veth.'],
    detect: (the, walk) =>
      first(the, walk, (which) => {
        const host = pairOf(the.facts, the.plan[which], the.plan)?.host;
        if (!host || host.master === null || host.master === the.plan.bridge) return undefined;
        return {
          which,
          seen: [`${host.name} has the master ${host.master}`],
          wrong: `${host.name} is plugged into ${host.master}: it must have master ${the.plan.bridge}.`,
          mend: plug(the, which),
        };
      }),
  },
  {
    ...common,
    id: 'veth-host-end-down',
    explains: ['veth.'],
    detect: (the, walk) =>
      first(the, walk, (which) => {
        const host = pairOf(the.facts, the.plan[which], the.plan)?.host;
        if (!host || host.up) return undefined;
        return {
          which,
          seen: [`${host.name} is without the flag UP`],
          wrong: `${host.name}, ${the.plan[which].name}'s end on the lab host, is down: a veth end that is down takes the carrier from the other end too.`,
          mend: [ip(null, 'link', 'set', host.name, 'up')],
        };
      }),
  },
  {
    id: 'veth-port-isolated',
    hop: 'bridge',
    explains: ['connectivity.'],
    detect: (the, walk) => {
      const ends = walk.path.containers.map((which) => pairOf(the.facts, the.plan[which], the.plan)?.host.name);
      const isolated = the.facts.here.ports.filter(({ device, isolated: alone }) => alone && ends.includes(device));
      if (ends.length < 2 || isolated.length < 2 || !mayEndAt(walk, 'bridge')) return undefined;
      const [from, to] = walk.path.containers.map((which) => the.plan[which]);
      const names = isolated.map(({ device }) => device);
      return {
        seen: [`isolated ports of ${the.plan.bridge}: ${listOf(names)}`],
        wrong: `${from?.name ?? ''} asks who has ${to?.address ?? ''} (ARP), and nobody answers: isolated ports of a bridge exchange no frames with each other.`,
        mend: names.map((name) => command('bridge', 'link', 'set', 'dev', name, 'isolated', 'off')),
      };
    },
  },
  {
    ...common,
    id: 'inner-name-wrong',
    hop: 'inner',
    explains: ['addressing.'],
    detect: (the, walk) =>
      first(the, walk, (which) => {
        const { name } = the.plan[which];
        const inner = pairOf(the.facts, the.plan[which], the.plan)?.inner;
        if (!inner || inner.name === the.plan.inner) return undefined;
        const taken = linkOf(netnsOf(the.facts, name)?.net?.links, the.plan.inner);
        return {
          which,
          seen: [`the end in ${name} is ${inner.name}`],
          wrong: `The end in ${name} is called ${inner.name}: it must become ${the.plan.inner}.`,
          mend: [
            ...(taken ? [ip(name, 'link', 'del', the.plan.inner)] : []),
            ip(name, 'link', 'set', inner.name, 'down'),
            ip(name, 'link', 'set', inner.name, 'name', the.plan.inner),
            ...settle(the, which),
          ],
        };
      }),
  },
];
