/** Draws a packet flow: as text, as sentences, as SVG and as Mermaid. */
import { styleText } from 'node:util';
import { type Act, formatEnd, type Flow, type Hook, type Place, type Seen, type Tuple } from './flow.ts';
import { px, svgDocument, xml } from './svg.ts';
import { mermaidText, type TextOptions } from './topology.ts';

// Text.

/** Characters of each of the two columns: both fit into 60. */
const half = 29;

/** A flow in two columns: the packet, read downwards, and its answer, read upwards. */
export function drawFlowAsText({ steps }: Pick<Flow, 'steps'>, { columns, color }: TextOptions): string[] {
  if (columns < 2 * half + 2) return drawFlowAsOutline({ steps });
  const rows = steps.flatMap((step) => (step.kind === 'place' ? placeRows(step, color) : hookRows(step)));
  return [...beside('there, downwards', 'back, upwards'), ...rows];
}

const pad = (text: string, plain = text): string => text + ' '.repeat(Math.max(0, half - plain.length));
const beside = (left: string, right: string): string[] => [`${pad(left)}  ${right}`.trimEnd()];

function placeRows({ zone, device, there, back }: Place, color: boolean): string[] {
  const name = device === null ? zone : `${device} (${zone})`;
  const line = (field: 'source' | 'destination'): string =>
    `${endText(there, field, color)}  ${endText(back, field, color)}`;
  return [
    `── ${name} ${'─'.repeat(2 * half - 2 - name.length)}`,
    line('source').trimEnd(),
    line('destination').trimEnd(),
  ];
}

/** One end of a packet, padded. An asterisk stands before an end that the place before did not have. */
function endText(packet: Seen, field: 'source' | 'destination', color: boolean): string {
  const changed = packet.changed.includes(field);
  const plain = `${changed ? '*' : ' '} ${field === 'source' ? 'from' : 'to  '} ${formatEnd(packet, field)}`;
  return pad(changed && color ? styleText('bold', plain, { validateStream: false }) : plain, plain);
}

function hookRows({ there, back }: Hook): string[] {
  const lines = ({ hook, text }: Act, arrow: string): string[] => [
    `    ${arrow} ${hook}`,
    ...wrapWords(text, half - 6).map((part) => `      ${part}`),
  ];
  const [left, right] = [lines(there, '↓'), lines(back, '↑')];
  return Array.from({ length: Math.max(left.length, right.length) }, (_, at) =>
    beside(left[at] ?? '', right[at] ?? ''),
  ).flat();
}

/** Wraps words into lines of at most `width` characters; a longer word has a line of its own. */
function wrapWords(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

/** A flow as sentences, for a screen reader and as an SVG's description. */
export function drawFlowAsOutline({ steps }: Pick<Flow, 'steps'>): string[] {
  const linesFor = (direction: 'there' | 'back', all: Flow['steps']): string[] =>
    all.flatMap((step) =>
      step.kind === 'hook'
        ? `    ${step[direction].hook}: ${step[direction].text}`
        : [
            `  at ${step.device === null ? step.zone : `${step.device} in ${step.zone}`}`,
            `    ${ends(step[direction])}`,
          ],
    );
  return ['there:', ...linesFor('there', steps), 'back:', ...linesFor('back', steps.toReversed())];
}

const ends = (packet: Tuple): string => `from ${formatEnd(packet, 'source')} to ${formatEnd(packet, 'destination')}`;

// SVG.

/** Pixels. The packet and its answer have a column each; a place is a bar across both, with a line on each side. */
const width = 580;
const columns = { there: 44, back: 314 } as const;
const rails = { there: 24, back: width - 24 } as const;
const line = 20;
const head = 36;
const gap = 26;
const placeHeight = 3 * line + 18;
/** Characters of a hook's text in its column. */
const across = 29;

/** A flow as SVG: the packet goes downwards, its answer upwards. */
export function drawFlowAsSvg(flow: Flow, { id, title }: { id: string; title: string }): string {
  const { body, bottom } = flowElements(flow);
  const heads = [textAt('there ↓', columns.there, 22, 'title'), textAt('↑ back', columns.back, 22, 'title')];
  const description = drawFlowAsOutline(flow).join('\n');
  return svgDocument({ id, title, description, width, height: bottom + 2 }, [...heads, ...body]);
}

/** The places one below the other, with the hooks between them. */
function flowElements({ steps }: Flow): { body: string[]; bottom: number } {
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

/** A line with an arrowhead, drawn each time: an SVG marker has an id, which would have to be unique on the page. */
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
  const text = `${field === 'source' ? 'from' : 'to  '} ${formatEnd(packet, field)}${changed ? ' *' : ''}`;
  return `<text class="${changed ? 'changed title' : 'end'}" xml:space="preserve" x="${px(x)}" y="${px(y)}">${xml(text)}</text>`;
};

/** Adds a hook below `y` to `body`. Returns where the next element may stand. */
function hookAt({ there, back }: Hook, y: number, body: string[]): number {
  const act = ({ hook, text }: Act, x: number): number => {
    const texts = wrapWords(text, across);
    body.push(textAt(hook, x, y + 26, 'title'));
    body.push(...texts.map((part, at) => textAt(part, x, y + 26 + (at + 1) * line, 'soft')));
    return texts.length;
  };
  const lines = Math.max(act(there, columns.there), act(back, columns.back));
  return y + 26 + lines * line + 12;
}

// Mermaid.

/** A flow as a Mermaid sequence diagram: a participant for each place, a note for each hook. */
export function drawFlowAsMermaid({ steps }: Flow): string[] {
  const places = steps.filter((step): step is Place => step.kind === 'place');
  const id = (place: Place): string => `p${places.indexOf(place)}`;
  return [
    'sequenceDiagram',
    ...places.map(
      (place) =>
        `  participant ${id(place)} as ${mermaidText(place.device === null ? place.zone : `${place.zone} ${place.device}`)}`,
    ),
    ...mermaidMessages(steps, 'there', id),
    ...mermaidMessages(steps.toReversed(), 'back', id),
  ];
}

function mermaidMessages(steps: Flow['steps'], direction: 'there' | 'back', id: (place: Place) => string): string[] {
  const lines: string[] = [];
  let from: Place | undefined;
  for (const step of steps) {
    if (step.kind === 'hook') {
      lines.push(
        `  Note over ${from ? id(from) : 'p0'}: ${mermaidText(`${step[direction].hook}, ${step[direction].text}`)}`,
      );
    } else {
      if (from)
        lines.push(
          `  ${id(from)}${direction === 'there' ? '->>' : '-->>'}${id(step)}: ${mermaidText(mermaidEnds(step[direction]))}`,
        );
      from = step;
    }
  }
  return lines;
}

const mermaidEnds = (packet: Tuple): string => `${formatEnd(packet, 'source')} → ${formatEnd(packet, 'destination')}`;
