import { EXIT, LabError } from '@handwired/host';
import { type Connection, parseConnections } from '../facts/connections.ts';
import type { Facts } from '../facts/facts.ts';
import { observe } from '../facts/observe.ts';
import type { Source } from '../take.ts';
import { diagnosed } from './diagnosis.ts';
import { type EndWord, errandFromAddress, errandOf } from './ends.ts';
import type { Packet, Seen } from './seen.ts';
import type { Step, Trace } from './shape.ts';
import { placeName, stepsOf } from './steps.ts';
import { takeTrace } from './take.ts';
import { endOf, type Told } from './why.ts';

export interface TraceWanted {
  /** The lab's name. */
  lab: string;
  from: EndWord;
  to: EndWord;
  port: number | undefined;
}

/** Sends one packet from one end of the lab to another and follows it. Throws LabError when it can't be sent or seen. */
export async function traceLab(source: Source, wanted: TraceWanted): Promise<Trace> {
  const { seat, plan, baseline, signal } = source;
  const { from, to, port } = wanted;
  const look = async (): Promise<Facts> =>
    withoutOurs(await observe(seat, { baseline, ...(signal ? { signal } : {}) }));
  const known = errandOf(from, to, port, plan);
  // Both at once where they can be: what a rule's number stands for is in the facts.
  const both = known && Promise.all([look(), takeTrace(seat, known, source)]);
  const [facts, already] = (await both) ?? [await look(), undefined];
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
  return traceOf({ errand, seen, facts, steps: stepsOf(seen, facts), plan }, wanted, source);
}

/** Facts as they are without the table that traces: RuleTracer in agent/trace.py names it so. */
function withoutOurs(facts: Facts): Facts {
  const nets = [facts.here, ...facts.namespaces.map(({ net }) => net)];
  for (const net of nets) if (net) net.nft = net.nft.filter(({ name }) => !name.startsWith('handwired-trace-'));
  return facts;
}

function traceOf(told: Told, { lab, from, to }: TraceWanted, source: Source): Trace {
  const { errand, seen, steps } = told;
  const story = diagnosed(told, source);
  return {
    ...{ schemaVersion: 1, lab, from, to, errand, steps: [...steps], end: endOf(told) },
    connections: connectionsOf(seen, steps),
    diagnosis: story ?? null,
    notes: notesOf(seen),
  };
}

/** Those whose question or answer is the packet as it was seen in that namespace. */
function connectionsOf(seen: Seen, steps: readonly Step[]): Trace['connections'] {
  return Object.entries(seen.spaces).flatMap(([name, { conntrack }]) => {
    const here = steps.filter((step) => step.in === placeName(name) && !step.back).map(({ packet }) => packet);
    return parseConnections(conntrack)
      .filter(({ original }) => here.some((packet) => isOf(original, packet)))
      .slice(-1)
      .map((connection) => ({ in: placeName(name), connection }));
  });
}

const isOf = (tuple: Connection['original'], packet: Packet): boolean =>
  tuple.source === packet.source &&
  tuple.destination === packet.target &&
  (tuple.sourcePort ?? 0) === packet.sourcePort &&
  (tuple.destinationPort ?? 0) === packet.targetPort;

function notesOf({ spaces }: Seen): string[] {
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
