import type { Facts, Net } from '../facts/facts.ts';
import type { NftTable } from '../facts/firewall.ts';
import type { ChainStep, LinkStep, Packet, Rule, Seen, Sight, Space, Step } from './trace-data.ts';

/** The table that a trace message is about. The message tells only whether the family is bridge. */
function findTable(net: Net | null | undefined, rule: Pick<Rule, 'table' | 'chain' | 'bridge'>): NftTable | undefined {
  const families = rule.bridge ? ['bridge'] : ['ip', 'inet'];
  return families
    .flatMap((family) => net?.nft.filter((table) => table.family === family && table.name === rule.table) ?? [])
    .find((table) => table.objects.some(({ type, chain }) => type === 'chain' && chain === rule.chain));
}

/** `prerouting`, `forward`, ...; null for a chain without a hook. */
const findHook = (table: NftTable | undefined, chain: string | null): string | null =>
  table?.objects.find((entry) => entry.type === 'chain' && entry.chain === chain)?.hook ?? null;

/** A rule as its own tool prints it. nft can't show the matches of iptables. */
function ruleText(net: Net | null | undefined, table: NftTable | undefined, rule: Rule): string {
  const chain = table?.objects.filter((entry) => entry.type === 'rule' && entry.chain === rule.chain) ?? [];
  const at = chain.findIndex(({ handle }) => handle === rule.handle);
  const kept = net?.iptables
    .find((one) => one.variant === 'nft' && one.family === table?.family && one.name === table.name)
    ?.chains.find(({ name }) => name === rule.chain)?.rules;
  const same = kept?.length === chain.length ? kept[at] : undefined;
  return same ?? chain[at]?.shown ?? `rule ${rule.handle ?? '?'}, which is gone`;
}

/** The kinds of packets on the way out. All others are on the way of the answer. */
const opening: ReadonlySet<string> = new Set(['syn', 'echo', 'query']);
/** Is it an ARP request or answer? */
export const isArp = ({ what }: Packet): boolean => what === 'who-has' || what === 'is-at';

/** A namespace's name for people. */
export const placeName = (space: string): string =>
  space === 'root' ? 'host' : space === 'world' ? 'the world' : space;

/** All places where the packet was seen, and then those of its answer, in order. */
export function orderSteps(seen: Seen, facts: Facts): Step[] {
  const all = Object.entries(seen.spaces).flatMap(([name, space]) => [
    ...inSpace(name, space, findNet(facts, name), false),
    ...inSpace(name, space, findNet(facts, name), true),
  ]);
  const steps = all
    .map((entry, n) => ({ ...entry, n }))
    .sort((a, b) => Number(a.step.back) - Number(b.step.back) || a.at - b.at || a.n - b.n)
    .map(({ step }) => step);
  return steps.map((step, n) => ({ ...step, changed: changes(lastLike(steps, n), step) }));
}

/** The facts of a namespace by its name in a trace. */
export const findNet = (facts: Facts, name: string): Net | null | undefined =>
  name === 'root'
    ? facts.here
    : name === 'world'
      ? facts.world.net
      : facts.namespaces.find((entry) => entry.name === name)?.net;

interface Timed {
  at: number;
  step: Step;
}

/** The steps of one direction in one namespace: links in the kernel's order, with the base chains between them. */
function inSpace(name: string, space: Space, net: Net | null | undefined, back: boolean): Timed[] {
  const isPort = (device: string): boolean =>
    net?.links.some((link) => link.name === device && link.master !== null) === true;
  const own = space.sights.filter((sight) => !isArp(sight) && !(sight.other && !isPort(sight.device)));
  const sights = once(own.filter((sight) => opening.has(sight.what) !== back));
  const runs = listRuns(space, net, name).filter(({ step }) => step.back === back);
  const found: Timed[] = [];
  const came = new Set<string>();
  for (const [n, sight] of sights.entries()) {
    for (let run = runs[0]; run && isBefore(run, sights.slice(n), came); run = runs[0]) {
      // A packet that this host sends itself was on no link before its first chain.
      found.push({ at: found.at(-1)?.at ?? sight.at, step: run.step });
      runs.shift();
    }
    found.push({ at: sight.at, step: linkStep(name, sight, back) });
    if (sight.way === 'in') came.add(sight.device);
  }
  const rest = found.at(-1)?.at ?? 0;
  return [...found, ...runs.map(({ step }) => ({ at: rest, step }))];
}

/** Keeps one of equal sights. The others are retransmissions. */
const once = (sights: readonly Sight[]): Sight[] => {
  const key = (sight: Sight): string => JSON.stringify({ ...sight, at: 0 });
  return [...new Map(sights.toReversed().map((sight) => [key(sight), sight])).values()].toReversed();
};

interface Run {
  iif: string | undefined;
  oif: string | undefined;
  bridge: boolean;
  step: ChainStep;
}

/** Did a base chain run before the next sight? `next`: that sight and later ones; `came`: links that it came in by. */
function isBefore({ iif, oif, bridge }: Run, next: readonly Sight[], came: ReadonlySet<string>): boolean {
  const [sight] = next;
  if (!sight) return true;
  if (iif === undefined) return sight.way === 'out';
  const comesLater = next.some(({ device, way }) => device === iif && way === 'in');
  if (!came.has(iif) && (comesLater || (came.size === 0 && sight.way === 'in'))) return false;
  const leavesLater = next.some(({ device, way }) => device === oif && way === 'out');
  return !(bridge && oif !== sight.device && leavesLater);
}

/** Groups the messages by base chain and packet. Leaves out packets that are not followed. */
function listRuns({ rules, devices }: Space, net: Net | null | undefined, name: string): Run[] {
  const names = new Map(devices.map((entry) => [entry.index, entry.name]));
  const runs = Map.groupBy(rules, ({ run }) => run);
  const known = new Set<string>();
  return [...runs.values()].flatMap((messages) => {
    const [first] = messages;
    if (!first?.packet) return [];
    const step = chainStep(messages, first.packet, net, name);
    const key = JSON.stringify([step.table, step.chain, step.packet, first.iif, first.oif]);
    if (known.has(key)) return [];
    known.add(key);
    return [{ iif: names.get(first.iif ?? 0), oif: names.get(first.oif ?? 0), bridge: first.bridge, step }];
  });
}

function chainStep(messages: readonly Rule[], packet: Packet, net: Net | null | undefined, name: string): ChainStep {
  const first = messages[0] as Rule;
  const table = findTable(net, first);
  const rules = messages
    .filter(({ handle, type }) => type === 'rule' && handle !== null)
    .map((rule) => ({
      chain: rule.chain ?? '',
      rule: ruleText(net, findTable(net, rule), rule),
      verdict: rule.jump === null ? (rule.verdict ?? '') : `${rule.verdict ?? ''} ${rule.jump}`,
    }));
  const last = messages.findLast(({ type, handle }) => type === 'policy' || handle !== null) ?? first;
  return {
    kind: 'chain',
    in: placeName(name),
    back: !opening.has(packet.what),
    packet,
    changed: [],
    table: `${table?.family ?? '?'} ${first.table ?? ''}`,
    chain: first.chain ?? '',
    hook: findHook(table, first.chain),
    rules,
    verdict: last.verdict ?? '',
    byPolicy: last.type === 'policy',
  };
}

const linkStep = (name: string, sight: Sight, back: boolean): LinkStep => {
  const { device, way, ttl, what, source, sourcePort, target, targetPort } = sight;
  const packet = { what, source, sourcePort, target, targetPort };
  return { kind: 'link', in: placeName(name), back, changed: [], device, way, ttl, packet };
};

/** The previous step with the same kind of packet. */
const lastLike = (steps: readonly Step[], n: number): Step | undefined =>
  steps.slice(0, n).findLast((one) => one.packet.what === steps[n]?.packet.what);

function changes(before: Step | undefined, { packet }: Step): string[] {
  if (!before) return [];
  const was = before.packet;
  const ends: [string, string, string][] = [
    ['source', endText(was.source, was.sourcePort), endText(packet.source, packet.sourcePort)],
    ['destination', endText(was.target, was.targetPort), endText(packet.target, packet.targetPort)],
  ];
  const changed = ends.filter(([, old, now]) => old !== now);
  const isDns = packet.what === 'query' || packet.what === 'answer';
  if (isDns && changed.length === 2) return ['asked on by a program, in a packet of its own'];
  return changed.map(([which, old]) => `${which} was ${old}`);
}

/** `ADDRESS:PORT`, or the address alone when the port is 0. */
export const endText = (address: string, port: number): string => (port === 0 ? address : `${address}:${port}`);
