import { styleText } from 'node:util';
import { z } from 'zod';
import { escapeText } from '../report/escape.ts';
import { listForms, type Place, type Row } from './capture.ts';
import { endText } from './steps.ts';
import type { ChainStep, LinkStep, Packet, Step, Trace } from './trace-data.ts';

type Paint = (style: 'bold' | 'red' | 'green' | 'dim', text: string) => string;

const kinds = { icmp: 'an echo request (ping)', tcp: 'a TCP connection', udp: 'a DNS question' } as const;
const colors = { answered: 'green', refused: 'red', lost: 'red' } as const;

/** One packet's way, with one line per place. Changed addresses and ports are bold. */
export function renderTrace({ from, to, errand, ...trace }: Trace, { color }: { color: boolean }): string {
  const paint: Paint = (style, text) => (color ? styleText(style, text, { validateStream: false }) : text);
  const { end, steps, connections, diagnosis, notes } = trace;
  const title = `${from} to ${to}: ${kinds[errand.kind]} to ${endText(errand.to, errand.port)}`;
  const wide = Math.max(4, ...steps.map((step) => step.in.length));
  const way = steps.flatMap((step, n) => {
    const turns = step.back && steps[n - 1]?.back !== true;
    return [...(turns ? ['', 'the answer:'] : []), ...renderLine(step, wide, paint)];
  });
  const tracked = connections.map(
    ({ in: where, connection: { original, reply } }) =>
      `${where}: asked ${tuple(original)}, awaits the answer from ${tuple(reply)}`,
  );
  return [
    paint('bold', title),
    '',
    ...way,
    '',
    ...(tracked.length > 0 ? ['conntrack notes', ...tracked.map((line) => `  ${line}`), ''] : []),
    `${paint(colors[end.verdict], end.verdict)}: ${escapeText(end.because)}`,
    ...(diagnosis
      ? [`diagnosis: ${escapeText(diagnosis.wrong)} (${diagnosis.cause}, at ${escapeText(diagnosis.hop)})`]
      : []),
    ...notes.map((line) => `note: ${escapeText(line)}`),
    '',
  ].join('\n');
}

const tuple = ({
  source,
  destination,
  sourcePort,
  destinationPort,
}: Trace['connections'][number]['connection']['reply']) =>
  `${endText(source, sourcePort ?? 0)} -> ${endText(destination, destinationPort ?? 0)}`;

function renderLine(step: Step, wide: number, paint: Paint): string[] {
  const place = `  ${escapeText(step.in).padEnd(wide)}  `;
  const lines = step.kind === 'link' ? [linkLine(step, paint)] : chainLines(step, paint);
  return lines.map((line, n) => (n === 0 ? place : ' '.repeat(place.length)) + line);
}

function linkLine({ device, way, packet, changed }: LinkStep, paint: Paint): string {
  const was = changed.length > 0 ? `   ${paint('bold', changed.join(', '))}` : '';
  return `${escapeText(device).padEnd(12)} ${way.padEnd(3)}  ${addresses(packet, changed, paint)}${was}`;
}

function addresses(
  { what, source, sourcePort, target, targetPort }: Packet,
  changed: readonly string[],
  paint: Paint,
): string {
  const bold = (which: string, text: string): string =>
    changed.some((line) => line.startsWith(which)) ? paint('bold', text) : text;
  return `${bold('source', endText(source, sourcePort))} -> ${bold('destination', endText(target, targetPort))} ${what}`;
}

function chainLines(
  { table, chain, hook, rules, verdict, byPolicy, packet, changed }: ChainStep,
  paint: Paint,
): string[] {
  const was =
    changed.length > 0 ? `   ${addresses(packet, changed, paint)}   ${paint('bold', changed.join(', '))}` : '';
  const shown = verdict === 'drop' ? paint('red', verdict) : verdict;
  const end = byPolicy ? `${rules.length === 0 ? 'no rule matches; ' : ''}policy ${shown}` : undefined;
  const matched = rules.map((one) => {
    const inside = one.chain === chain ? '' : `${one.chain}: `;
    return `  ${escapeText(inside + one.rule)}  => ${one.verdict === 'drop' ? paint('red', one.verdict) : escapeText(one.verdict)}`;
  });
  const head = `${(hook ?? '').padEnd(11)} ${escapeText(`${table} ${chain}`)}`;
  return [`${head}${end === undefined ? '' : `: ${end}`}${was}`, ...matched];
}

/** A trace as JSON: docs/schema/trace.json. */
export const renderTraceJson = (trace: Trace): string => JSON.stringify(trace, null, 2);

/** How a row of `lab observe` is printed. */
export interface RowOptions {
  color: boolean;
  /** Characters per line. */
  columns: number;
  places: readonly Place[];
  /** The time of the first row, in seconds since the epoch. */
  begin: number;
}

/** Columns. A narrower terminal has no room for time, addresses and places side by side. */
const WIDE = 96;

/** One packet: time, kind, and one line per address pair that it had, with the places. Changed ends are bold. */
export function renderRow(row: Row, { color, columns, places, begin }: RowOptions): string {
  const [first] = row.sights;
  const bold = (text: string): string => (color ? styleText('bold', text, { validateStream: false }) : text);
  const head = `${(Number(first?.at) - begin).toFixed(3).padStart(8)}  ${escapeText(first?.packet?.what ?? 'not IPv4')
    .slice(0, 40)
    .padEnd(16)}`;
  const lines = listForms(row).map((form) => {
    const pair = `${form.source} > ${form.target}`;
    const shown = (['source', 'target'] as const).map((end) =>
      form.changed.includes(end) ? bold(form[end]) : form[end],
    );
    const at = form.places.map(({ place, way }) => `${places[place]?.name ?? '?'} ${way}`).join(', ');
    return { pair, shown: shown.join(' > '), at: escapeText(at) };
  });
  if (columns < WIDE)
    return [head.trimEnd(), ...lines.flatMap(({ shown, at }) => [`    ${shown}`, `      ${at}`])].join('\n');
  return lines
    .map(({ pair, shown, at }, n) => {
      const before = n === 0 ? head : ' '.repeat(head.length);
      return `${before}  ${shown}${' '.repeat(Math.max(0, 43 - pair.length))}  ${at}`;
    })
    .join('\n');
}

const End = { source: z.string().nullable(), sourcePort: z.int(), target: z.string().nullable(), targetPort: z.int() };

/** All sights of one packet: one line of `lab observe -o json`. */
export const ObservedPacket = z.object({
  schemaVersion: z.literal(1),
  protocol: z.enum(['tcp', 'udp', 'icmp', 'arp', 'other']),
  /** In words: `SYN`, `echo request`, `query example.com`. */
  what: z.string(),
  /** In order of time. Addresses are null when it is neither IPv4 nor ARP. Ports are 0 when there are none. */
  sights: z.array(
    z.object({
      place: z.string(),
      /** Seconds and nanoseconds since the epoch. */
      at: z.string(),
      way: z.enum(['in', 'out']),
      /** Bytes on the wire. */
      length: z.int(),
      ...End,
    }),
  ),
});

/** A row as one line of JSON: docs/schema/packet.json. */
export function renderRowJson({ sights }: Row, { places }: Pick<RowOptions, 'places'>): string {
  const { protocol, what } = sights[0]?.packet ?? { protocol: 'other', what: 'not IPv4' };
  const seen = sights.map(({ place, at, way, length, packet }) => ({
    place: places[place]?.name ?? '?',
    at,
    way,
    length,
    source: packet?.source ?? null,
    sourcePort: packet?.sourcePort ?? 0,
    target: packet?.target ?? null,
    targetPort: packet?.targetPort ?? 0,
  }));
  const row: z.infer<typeof ObservedPacket> = { schemaVersion: 1, protocol, what, sights: seen };
  return JSON.stringify(row);
}
