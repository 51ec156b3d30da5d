import { randomBytes } from 'node:crypto';
import { isIPv4 } from 'node:net';
import { EXIT, LabError, type OpenSeat, type Plan, world } from '@handwired/host';
import { explainProbe, type ProbeStory } from '../diagnosis/diagnose.ts';
import { Evidence } from '../evidence/evidence.ts';
import { type Probe, type ProbeId, probes } from '../evidence/probes.ts';
import type { Facts } from '../facts/facts.ts';
import { type Connection, parseConnections } from '../facts/firewall.ts';
import { knownWorld, observeFacts } from '../facts/observe.ts';
import { noExperiments, type Source } from '../grading/grade.ts';
import { runRemote } from '../remote.ts';
import { findEnd, type Traced } from './ending.ts';
import { isArp, placeName, orderSteps } from './steps.ts';
import { type Errand, type Packet, Seen, type Step, type Trace } from './trace-data.ts';

/** One end as the user typed it: one of `trafficEnds`, or an IPv4 address. */
type EndWord = string;

/**
 * The errand of `lab trace FROM TO --port N`. Undefined: FROM is an address, and only facts tell which namespace has
 * it.
 */
export function parseErrand(from: EndWord, to: EndWord, port: number | undefined, plan: Plan): Errand | undefined {
  const sender = named(from, plan);
  return sender && errandFrom(sender, to, port, plan);
}

/** The errand from an address. Undefined: no namespace of the lab host has the address. */
export function errandFromAddress(
  from: string,
  to: EndWord,
  port: number | undefined,
  { plan, facts }: { plan: Plan; facts: Facts },
): Errand | undefined {
  const owner = findOwner(from, facts);
  return owner === undefined ? undefined : errandFrom({ in: owner, from }, to, port, plan);
}

type Sender = Pick<Errand, 'in' | 'from'>;

function errandFrom(sender: Sender, to: EndWord, port: number | undefined, plan: Plan): Errand {
  const kind = port === undefined ? 'icmp' : port === 53 ? 'udp' : 'tcp';
  return { ...sender, to: findTarget(to, sender, kind, plan), kind, port: port ?? 0 };
}

function named(word: EndWord, plan: Plan): Sender | undefined {
  if (word === 'ct1' || word === 'ct2') return { in: plan[word].name, from: null };
  if (word === 'host') return { in: 'root', from: null };
  const beyond: Record<string, string> = { outside: world.outside, lan: world.lanPeer, internet: world.site.address };
  const from = beyond[word];
  return from === undefined ? undefined : { in: 'world', from };
}

/** The first namespace with this address. */
function findOwner(address: string, { here, namespaces, world: beyond }: Facts): string | undefined {
  const spaces = [{ name: 'root', net: here }, ...namespaces, { name: 'world', net: beyond.net }];
  const has = ({ net }: (typeof spaces)[number]): boolean =>
    net?.links.some((link) => link.addresses.some((one) => one.address === address)) === true;
  return spaces.find(has)?.name;
}

function findTarget(word: EndWord, sender: Sender, kind: Errand['kind'], plan: Plan): string {
  if (isIPv4(word)) return word;
  if (word === 'ct1' || word === 'ct2') return plan[word].address;
  if (word === 'outside') return world.outside;
  if (word === 'lan') return world.lanPeer;
  // The site does not answer DNS. The internet's resolver that the plan names does.
  if (word !== 'host') return kind === 'udp' ? plan.resolver : world.site.address;
  return sender.in === 'root' ? '127.0.0.1' : sender.in === 'world' ? world.uplink.address : plan.gateway;
}

/**
 * Seconds: the longest time of a trace, and the time without news that ends it. On a slow lab host the second is at
 * least 20 times what a trivial program takes.
 */
const patience = { seconds: 0.95, quiet: 0.3 };

/**
 * Sends the packet and watches all links and rules, in one round trip. Throws LabError when the answer is incomplete.
 */
async function takeTrace(
  seat: OpenSeat,
  errand: Errand,
  { baseline, signal }: { baseline: Facts; signal?: AbortSignal | undefined },
): Promise<Seen> {
  const answer = await runRemote(seat, {
    program: 'trace',
    parameters: {
      ...errand,
      ...patience,
      label: `hw${randomBytes(9).toString('hex')}`,
      site: world.site.name,
      world: knownWorld(baseline),
    },
    timeoutMs: 30_000,
    maxBytes: 16 << 20,
    signal,
  });
  const seen = Seen.safeParse(answer);
  if (seen.success) return seen.data;
  const where = seen.error.issues[0]?.path.join('.') ?? '';
  throw new LabError({ what: `the trace's answer has another shape: ${where}`, next: 'lab reset' });
}

/** The checker's diagnosis of a path that the trace found broken; undefined: the checker does not know the path. */
function diagnoseTrace({ errand, seen, facts, plan }: Traced, { baseline, record }: Source): ProbeStory | undefined {
  const probe = (Object.keys(probes) as ProbeId[]).find((id) => isSame(probes[id](plan), errand));
  if (probe === undefined || seen.result?.ok === true) return undefined;
  const sights = Object.entries(seen.spaces).flatMap(([space, { sights: all }]) =>
    all.map((sight) => ({ ...sight, in: space, count: 1, probe: isArp(sight) ? null : probe })),
  );
  const evidence = Evidence.safeParse({
    ...noExperiments,
    results: { [probe]: { ok: false, stage: 'connect', error: seen.result?.error ?? 'no answer', ms: 0 } },
    seen: sights.filter(({ what }) => what !== 'redirect' && what !== 'time-exceeded'),
  });
  if (!evidence.success) return undefined;
  return explainProbe({ facts, evidence: evidence.data, baseline, plan, record }, probe);
}

const internet = new Set<string>([world.site.address, ...world.resolvers]);
const both = (...addresses: string[]): boolean => addresses.every((one) => internet.has(one));

/** Does the errand send the same packet as the experiment? */
function isSame(probe: Probe, errand: Errand): boolean {
  if (!('to' in probe) || probe.in !== errand.in) return false;
  // The checker treats all addresses of the internet alike.
  if (probe.kind === 'icmp') return errand.kind === 'icmp' && (probe.to === errand.to || both(probe.to, errand.to));
  return (
    probe.to === errand.to &&
    errand.kind === 'tcp' &&
    probe.port === errand.port &&
    (probe.from ?? null) === errand.from
  );
}

/** Sender and destination of a trace. */
export interface TraceWanted {
  /** The lab's name. */
  lab: string;
  from: EndWord;
  to: EndWord;
  port: number | undefined;
}

/**
 * Sends one packet from one end of the lab to another and follows it. Throws LabError when it can't be sent or seen.
 */
export async function traceLab(source: Source, wanted: TraceWanted): Promise<Trace> {
  const { seat, plan, baseline, signal } = source;
  const { from, to, port } = wanted;
  const observeWithoutOurs = async (): Promise<Facts> =>
    withoutOurs(await observeFacts(seat, { baseline, ...(signal ? { signal } : {}) }));
  const known = parseErrand(from, to, port, plan);
  // If possible, both run at once. The facts tell which rule a handle belongs to.
  const both = known && Promise.all([observeWithoutOurs(), takeTrace(seat, known, source)]);
  const [facts, already] = (await both) ?? [await observeWithoutOurs(), undefined];
  const errand = known ?? errandFromAddress(from, to, port, { plan, facts });
  if (!errand) {
    const what = `no namespace of this lab host has the address ${from}`;
    throw new LabError({ what, next: 'lab trace --help', exit: EXIT.usage });
  }
  const seen = already ?? (await takeTrace(seat, errand, source));
  if (seen.missing) {
    const what = `there is no network namespace ${placeName(errand.in)} to send from`;
    throw new LabError({ what, next: 'lab check --hints 1', exit: EXIT.failed });
  }
  return makeTrace({ errand, seen, facts, steps: orderSteps(seen, facts), plan }, wanted, source);
}

/** Facts without the nft table that does the tracing. RuleTracer in agent/trace.py sets its name. */
function withoutOurs(facts: Facts): Facts {
  const nets = [facts.here, ...facts.namespaces.map(({ net }) => net)];
  for (const net of nets) if (net) net.nft = net.nft.filter(({ name }) => !name.startsWith('handwired-trace-'));
  return facts;
}

function makeTrace(traced: Traced, { lab, from, to }: TraceWanted, source: Source): Trace {
  const { errand, seen, steps } = traced;
  const story = diagnoseTrace(traced, source);
  return {
    schemaVersion: 1,
    lab,
    from,
    to,
    errand,
    steps: [...steps],
    end: findEnd(traced),
    connections: listConnections(seen, steps),
    diagnosis: story ?? null,
    notes: listNotes(seen),
  };
}

/** The conntrack entries whose original or reply direction is the packet as it was seen in that namespace. */
function listConnections(seen: Seen, steps: readonly Step[]): Trace['connections'] {
  return Object.entries(seen.spaces).flatMap(([name, { conntrack }]) => {
    const here = steps.filter((step) => step.in === placeName(name) && !step.back).map(({ packet }) => packet);
    return parseConnections(conntrack)
      .filter(({ original }) => here.some((packet) => isPartOf(original, packet)))
      .slice(-1)
      .map((connection) => ({ in: placeName(name), connection }));
  });
}

const isPartOf = (tuple: Connection['original'], packet: Packet): boolean =>
  tuple.source === packet.source &&
  tuple.destination === packet.target &&
  (tuple.sourcePort ?? 0) === packet.sourcePort &&
  (tuple.destinationPort ?? 0) === packet.targetPort;

function listNotes({ spaces }: Seen): string[] {
  return Object.entries(spaces).flatMap(([name, { untraced, over, legacy }]) => {
    const where = placeName(name);
    const telling = (legacy ?? []).filter(({ rule }) => rule !== 'policy ACCEPT');
    const counted = telling.map(
      ({ table, chain, rule, packets }) =>
        `${where}: iptables-legacy counted ${packets} packet${packets === 1 ? '' : 's'} meanwhile: ${table} ${chain} ${rule}`,
    );
    return [
      ...(untraced === null ? [] : [`${where}: nftables can't trace here (${untraced}); its rules are not shown`]),
      ...(over ? [`${where}: more passed than could be kept; some of it may be missing`] : []),
      ...(legacy === null
        ? []
        : [
            `${where}: iptables-legacy has tables here. No trace tells what they do to one packet, only their counters do`,
          ]),
      ...counted,
    ];
  });
}
