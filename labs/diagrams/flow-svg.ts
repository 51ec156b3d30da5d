import { type Act, endOf, type Flow, type Hook, type Place, type Seen } from './flow.ts';
import { outlineOfFlow, wrapped } from './flow-text.ts';
import { px, svgOf, xml } from './svg-parts.ts';

/** Pixels. The two ways are columns; a place is a bar across both, and a way runs along each side of it. */
const width = 580;
const columns = { there: 44, back: 314 } as const;
const rails = { there: 24, back: width - 24 } as const;
const line = 20;
const head = 36;
const gap = 26;
const placeHeight = 3 * line + 18;
/** Characters of a hook's text in its column. */
const across = 29;

/** A packet's way, downwards, and its answer's, upwards. */
export function svgOfFlow(flow: Flow, { id, title }: { id: string; title: string }): string {
  const { body, bottom } = bodyOf(flow);
  const heads = [textAt('there ↓', columns.there, 22, 'title'), textAt('↑ back', columns.back, 22, 'title')];
  const description = outlineOfFlow(flow).join('\n');
  return svgOf({ id, title, description, width, height: bottom + 2 }, [...heads, ...body]);
}

/** Places one below the other, with what happens between two of them beside the ways that join them. */
function bodyOf({ steps }: Flow): { body: string[]; bottom: number } {
  const body: string[] = [];
  let y = head;
  let left: number | undefined;
  for (const step of steps) {
    if (step.kind === 'place') {
      if (left !== undefined) {
        y = Math.max(y, left + gap);
        body.push(arrow(rails.there, left, y), arrow(rails.back, y, left));
      }
      body.push(placeAt(step, y));
      y += placeHeight;
      left = y;
    } else {
      if (left === undefined) left = y;
      y = hookAt(step, y, body);
    }
  }
  return { body, bottom: y };
}

const textAt = (text: string, x: number, y: number, kind: string): string =>
  `<text class="${kind}" x="${px(x)}" y="${px(y)}">${xml(text)}</text>`;

/** A line with a point at its end, drawn and not referred to: a reference is for a whole page. */
function arrow(x: number, from: number, to: number): string {
  const back = to > from ? -8 : 8;
  return `<path class="wire way" d="M${px(x)} ${px(from)}V${px(to)}M${px(x - 5)} ${px(to + back)}L${px(x)} ${px(to)}L${px(x + 5)} ${px(to + back)}"/>`;
}

function placeAt({ zone, device, there, back }: Place, y: number): string {
  const name = device === null ? zone : `${device} · ${zone}`;
  return [
    `<g class="node spot"><rect x="4" y="${px(y)}" width="${width - 8}" height="${placeHeight}" rx="8"/>`,
    textAt(name, columns.there, y + 22, 'title'),
    ...(['source', 'destination'] as const).flatMap((field, at) => [
      endAt(there, field, columns.there, y + 22 + (at + 1) * line),
      endAt(back, field, columns.back, y + 22 + (at + 1) * line),
    ]),
    '</g>',
  ].join('');
}

const endAt = (packet: Seen, field: 'source' | 'destination', x: number, y: number): string => {
  const changed = packet.changed.includes(field);
  const text = `${field === 'source' ? 'from' : 'to  '} ${endOf(packet, field)}${changed ? ' *' : ''}`;
  return `<text class="${changed ? 'changed title' : 'end'}" xml:space="preserve" x="${px(x)}" y="${px(y)}">${xml(text)}</text>`;
};

/** Adds a hook below `y`; where the next thing may stand. */
function hookAt({ there, back }: Hook, y: number, body: string[]): number {
  const act = ({ hook, text }: Act, x: number): number => {
    const texts = wrapped(text, across);
    body.push(textAt(hook, x, y + 26, 'title'));
    body.push(...texts.map((part, at) => textAt(part, x, y + 26 + (at + 1) * line, 'soft')));
    return texts.length;
  };
  const lines = Math.max(act(there, columns.there), act(back, columns.back));
  return y + 26 + lines * line + 12;
}
