import { styleText } from 'node:util';
import { z } from 'zod';
import type { Place } from '../capture/capture.ts';
import { formsOf, type Row } from '../capture/rows.ts';
import { escapeText } from './escape.ts';

export interface RowOptions {
  color: boolean;
  /** Characters a line. */
  columns: number;
  places: readonly Place[];
  /** The time of the first row, in seconds since the epoch. */
  begin: number;
}

/** Less is too narrow for time, addresses and places side by side. */
const WIDE = 96;

/** One packet: when, what, and a line for each address pair that it had, with the places; what changed is bold. */
export function renderRow(row: Row, { color, columns, places, begin }: RowOptions): string {
  const [first] = row.sights;
  const bold = (text: string): string => (color ? styleText('bold', text, { validateStream: false }) : text);
  const head = `${(Number(first?.at) - begin).toFixed(3).padStart(8)}  ${escapeText(first?.packet?.what ?? 'not IPv4')
    .slice(0, 40)
    .padEnd(16)}`;
  const lines = formsOf(row).map((form) => {
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

/** One packet wherever it was seen: a line of what `lab observe -o json` prints. */
export const ObservedPacket = z.object({
  schemaVersion: z.literal(1),
  protocol: z.enum(['tcp', 'udp', 'icmp', 'arp', 'other']),
  /** In words: `SYN`, `echo request`, `query example.com`. */
  what: z.string(),
  /** In order of time. Addresses are null where it is neither IPv4 nor ARP; ports are 0 where there are none. */
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

/** The same as one line of JSON: docs/schema/packet.json. */
export function renderRowJson({ sights }: Row, { places }: Pick<RowOptions, 'places'>): string {
  const { protocol, what } = sights[0]?.packet ?? { protocol: 'other', what: 'not IPv4' };
  const seen = sights.map(({ place, at, way, length, packet }) => ({
    ...{ place: places[place]?.name ?? '?', at, way, length },
    ...{ source: packet?.source ?? null, sourcePort: packet?.sourcePort ?? 0 },
    ...{ target: packet?.target ?? null, targetPort: packet?.targetPort ?? 0 },
  }));
  const row: z.infer<typeof ObservedPacket> = { schemaVersion: 1, protocol, what, sights: seen };
  return JSON.stringify(row);
}
