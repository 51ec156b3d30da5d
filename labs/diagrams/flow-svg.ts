import { type Act, endOf, type Flow, type Hook, type Place, type Seen } from './flow.ts';
import { outlineOfFlow } from './flow-text.ts';
import { px, svgOf, xml } from './svg-parts.ts';

/** Pixels. The two ways are columns; a place is a bar across both. */
const width = 520;
const rail = 18;
const columns = { there: 40, back: 290 } as const;
const heights = { head: 34, place: 84, hook: 62 } as const;

/** A packet's way, downwards, and its answer's, upwards. */
export function svgOfFlow(flow: Flow, { id, title }: { id: string; title: string }): string {
  let y: number = heights.head;
  const body: string[] = [];
  for (const step of flow.steps) {
    body.push(step.kind === 'place' ? placeAt(step, y) : hookAt(step, y));
    y += heights[step.kind];
  }
  const description = outlineOfFlow(flow).join('\n');
  const head = [
    textAt('there, downwards', columns.there, 20, 'soft'),
    textAt('back, upwards', columns.back, 20, 'soft'),
    arrow(rail, heights.head - 6, y - 4),
    arrow(width - rail, y - 4, heights.head - 6),
  ];
  return svgOf({ id, title, description, width, height: y + 8 }, [...head, ...body]);
}

const textAt = (text: string, x: number, y: number, kind: string): string =>
  `<text class="${kind}" x="${px(x)}" y="${px(y)}">${xml(text)}</text>`;

/** A line with a head at its end, drawn and not referred to: references are for a whole page. */
function arrow(x: number, from: number, to: number): string {
  const back = to > from ? -9 : 9;
  return `<path class="wire" d="M${px(x)} ${px(from)}V${px(to)}M${px(x - 5)} ${px(to + back)}L${px(x)} ${px(to)}L${px(x + 5)} ${px(to + back)}"/>`;
}

function placeAt({ zone, device, there, back }: Place, y: number): string {
  const name = device === null ? zone : `${device} · ${zone}`;
  return [
    `<g class="node place"><rect x="${rail - 12}" y="${px(y)}" width="${width - 2 * rail + 24}" height="${heights.place - 10}" rx="8"/>`,
    textAt(name, columns.there, y + 20, 'title'),
    ...(['source', 'destination'] as const).flatMap((field, at) => [
      endAt(there, field, columns.there, y + 41 + at * 20),
      endAt(back, field, columns.back, y + 41 + at * 20),
    ]),
    '</g>',
  ].join('');
}

const endAt = (packet: Seen, field: 'source' | 'destination', x: number, y: number): string => {
  const changed = packet.changed.includes(field);
  const text = `${field === 'source' ? 'from' : 'to  '} ${endOf(packet, field)}${changed ? ' *' : ''}`;
  return `<text class="${changed ? 'changed title' : 'end'}" xml:space="preserve" x="${px(x)}" y="${px(y)}">${xml(text)}</text>`;
};

function hookAt({ there, back }: Hook, y: number): string {
  const act = ({ hook, text }: Act, x: number): string =>
    textAt(hook, x, y + 18, 'title') + textAt(text, x, y + 38, 'soft');
  return `<g class="hook">${act(there, columns.there)}${act(back, columns.back)}</g>`;
}
