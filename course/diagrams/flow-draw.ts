/** Draws a packet flow: as text, as sentences, as SVG and as Mermaid. */
import { styleText } from 'node:util';
import { type Act, formatEnd, type Flow, type Hook, type Place, type Seen, type Tuple } from './flow.ts';
import { formatPixels, renderSvg, escapeXml } from './svg.ts';
import { escapeMermaid, type TextOptions } from './topology.ts';

// Text.

/** Characters in each of the two columns. Both fit into 60. */
const half = 29;

/** A flow in two columns: the packet, read downwards, and its answer, read upwards. */
export function drawFlowAsText({ steps }: Pick<Flow, 'steps'>, { columns, color }: TextOptions): string[] {
  if (columns < 2 * half + 2) return drawFlowAsOutline({ steps });
  const rows = steps.flatMap((step) => (step.kind === 'place' ? renderPlace(step, color) : renderHook(step)));
  return [...joinColumns('there, downwards', 'back, upwards'), ...rows];
}

const padColumn = (text: string, plain = text): string => text + ' '.repeat(Math.max(0, half - plain.length));
const joinColumns = (left: string, right: string): string[] => [`${padColumn(left)}  ${right}`.trimEnd()];

function renderPlace({ zone, device, there, back }: Place, color: boolean): string[] {
  const name = device === null ? zone : `${device} (${zone})`;
  const renderEnds = (field: 'source' | 'destination'): string =>
    `${renderEnd(there, field, color)}  ${renderEnd(back, field, color)}`;
  return [
    `── ${name} ${'─'.repeat(2 * half - 2 - name.length)}`,
    renderEnds('source').trimEnd(),
    renderEnds('destination').trimEnd(),
  ];
}

/** One end of a packet, padded. An asterisk marks an end that differs from the place before. */
function renderEnd(packet: Seen, field: 'source' | 'destination', color: boolean): string {
  const changed = packet.changed.includes(field);
  const plain = `${changed ? '*' : ' '} ${field === 'source' ? 'from' : 'to  '} ${formatEnd(packet, field)}`;
  return padColumn(changed && color ? styleText('bold', plain, { validateStream: false }) : plain, plain);
}

function renderHook({ there, back }: Hook): string[] {
  const renderAct = ({ hook, text }: Act, arrow: string): string[] => [
    `    ${arrow} ${hook}`,
    ...wrapWords(text, half - 6).map((part) => `      ${part}`),
  ];
  const [left, right] = [renderAct(there, '↓'), renderAct(back, '↑')];
  return Array.from({ length: Math.max(left.length, right.length) }, (_, at) =>
    joinColumns(left[at] ?? '', right[at] ?? ''),
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
  const describeDirection = (direction: 'there' | 'back', all: Flow['steps']): string[] =>
    all.flatMap((step) =>
      step.kind === 'hook'
        ? `    ${step[direction].hook}: ${step[direction].text}`
        : [
            `  at ${step.device === null ? step.zone : `${step.device} in ${step.zone}`}`,
            `    ${describeEnds(step[direction])}`,
          ],
    );
  return ['there:', ...describeDirection('there', steps), 'back:', ...describeDirection('back', steps.toReversed())];
}

const describeEnds = (packet: Tuple): string =>
  `from ${formatEnd(packet, 'source')} to ${formatEnd(packet, 'destination')}`;

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
  const { body, bottom } = drawElements(flow);
  const heads = [drawText('there ↓', columns.there, 22, 'title'), drawText('↑ back', columns.back, 22, 'title')];
  const description = drawFlowAsOutline(flow).join('\n');
  return renderSvg({ id, title, description, width, height: bottom + 2 }, [...heads, ...body]);
}

/** The places one below the other, with the hooks between them. */
function drawElements({ steps }: Flow): { body: string[]; bottom: number } {
  const body: string[] = [];
  let y = head;
  let left: number | undefined;
  for (const step of steps) {
    if (step.kind === 'place') {
      if (left !== undefined) {
        y = Math.max(y, left + gap);
        body.push(drawArrow(rails.there, left, y), drawArrow(rails.back, y, left));
      }
      body.push(drawPlace(step, y));
      y += placeHeight;
      left = y;
    } else {
      if (left === undefined) left = y;
      y = drawHook(step, y, body);
    }
  }
  return { body, bottom: y };
}

const drawText = (text: string, x: number, y: number, kind: string): string =>
  `<text class="${kind}" x="${formatPixels(x)}" y="${formatPixels(y)}">${escapeXml(text)}</text>`;

/** A line with an arrowhead, drawn each time: an SVG marker has an id, which would have to be unique on the page. */
function drawArrow(x: number, from: number, to: number): string {
  const back = to > from ? -8 : 8;
  return `<path class="wire way" d="M${formatPixels(x)} ${formatPixels(from)}V${formatPixels(to)}M${formatPixels(x - 5)} ${formatPixels(to + back)}L${formatPixels(x)} ${formatPixels(to)}L${formatPixels(x + 5)} ${formatPixels(to + back)}"/>`;
}

function drawPlace({ zone, device, there, back }: Place, y: number): string {
  const name = device === null ? zone : `${device} · ${zone}`;
  return [
    `<g class="node spot"><rect x="4" y="${formatPixels(y)}" width="${width - 8}" height="${placeHeight}" rx="8"/>`,
    drawText(name, columns.there, y + 22, 'title'),
    ...(['source', 'destination'] as const).flatMap((field, at) => [
      drawEnd(there, field, columns.there, y + 22 + (at + 1) * line),
      drawEnd(back, field, columns.back, y + 22 + (at + 1) * line),
    ]),
    '</g>',
  ].join('');
}

const drawEnd = (packet: Seen, field: 'source' | 'destination', x: number, y: number): string => {
  const changed = packet.changed.includes(field);
  const text = `${field === 'source' ? 'from' : 'to  '} ${formatEnd(packet, field)}${changed ? ' *' : ''}`;
  return `<text class="${changed ? 'changed title' : 'end'}" xml:space="preserve" x="${formatPixels(x)}" y="${formatPixels(y)}">${escapeXml(text)}</text>`;
};

/** Adds a hook below `y` to `body`. Returns where the next element may stand. */
function drawHook({ there, back }: Hook, y: number, body: string[]): number {
  const drawAct = ({ hook, text }: Act, x: number): number => {
    const texts = wrapWords(text, across);
    body.push(drawText(hook, x, y + 26, 'title'));
    body.push(...texts.map((part, at) => drawText(part, x, y + 26 + (at + 1) * line, 'soft')));
    return texts.length;
  };
  const lines = Math.max(drawAct(there, columns.there), drawAct(back, columns.back));
  return y + 26 + lines * line + 12;
}

// Mermaid.

/** A flow as a Mermaid sequence diagram: a participant for each place, a note for each hook. */
export function drawFlowAsMermaid({ steps }: Flow): string[] {
  const places = steps.filter((step): step is Place => step.kind === 'place');
  const nameParticipant = (place: Place): string => `p${places.indexOf(place)}`;
  return [
    'sequenceDiagram',
    ...places.map(
      (place) =>
        `  participant ${nameParticipant(place)} as ${escapeMermaid(place.device === null ? place.zone : `${place.zone} ${place.device}`)}`,
    ),
    ...renderMessages(steps, 'there', nameParticipant),
    ...renderMessages(steps.toReversed(), 'back', nameParticipant),
  ];
}

function renderMessages(steps: Flow['steps'], direction: 'there' | 'back', id: (place: Place) => string): string[] {
  const lines: string[] = [];
  let from: Place | undefined;
  for (const step of steps) {
    if (step.kind === 'hook') {
      lines.push(
        `  Note over ${from ? id(from) : 'p0'}: ${escapeMermaid(`${step[direction].hook}, ${step[direction].text}`)}`,
      );
    } else {
      if (from)
        lines.push(
          `  ${id(from)}${direction === 'there' ? '->>' : '-->>'}${id(step)}: ${escapeMermaid(renderMessage(step[direction]))}`,
        );
      from = step;
    }
  }
  return lines;
}

const renderMessage = (packet: Tuple): string => `${formatEnd(packet, 'source')} → ${formatEnd(packet, 'destination')}`;
