import { styleText } from 'node:util';
import type { Place } from '../capture/capture.ts';
import { formsOf, type Row } from '../capture/rows.ts';
import { escapeText } from './escape.ts';

export interface RowOptions {
  color: boolean;
  places: readonly Place[];
  /** The time of the first row, in seconds since the epoch. */
  begin: number;
}

/** One packet: when, what, and a line for each address pair that it had, with the places; what changed is bold. */
export function renderRow(row: Row, { color, places, begin }: RowOptions): string {
  const [first] = row.sights;
  const bold = (text: string): string => (color ? styleText('bold', text, { validateStream: false }) : text);
  const head = `${(Number(first?.at) - begin).toFixed(3).padStart(8)}  ${escapeText(first?.packet?.what ?? 'not IPv4')
    .slice(0, 40)
    .padEnd(16)}`;
  return formsOf(row)
    .map((form, n) => {
      const pair = `${form.source} > ${form.target}`;
      const shown = [form.source, form.target].map((text, end) =>
        form.changed.includes(end === 0 ? 'source' : 'target') ? bold(text) : text,
      );
      const at = form.places.map(({ place, way }) => `${places[place]?.name ?? '?'} ${way}`).join(', ');
      return `${n === 0 ? head : ' '.repeat(head.length)}  ${shown.join(' > ')}${' '.repeat(Math.max(0, 43 - pair.length))}  ${escapeText(at)}`;
    })
    .join('\n');
}

/** The same as one line of JSON. */
export function renderRowJson({ sights }: Row, { places }: Pick<RowOptions, 'places'>): string {
  const { protocol, what } = sights[0]?.packet ?? { protocol: 'other', what: 'not IPv4' };
  const seen = sights.map(({ place, at, way, length, packet }) => ({
    ...{ place: places[place]?.name ?? '?', at, way, length },
    ...{ source: packet?.source ?? null, sourcePort: packet?.sourcePort ?? 0 },
    ...{ target: packet?.target ?? null, targetPort: packet?.targetPort ?? 0 },
  }));
  return JSON.stringify({ schemaVersion: 1, protocol, what, sights: seen });
}
