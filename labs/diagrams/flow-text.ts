import { styleText } from 'node:util';
import { type Act, endOf, type Flow, type Hook, type Place, type Seen, type Tuple } from './flow.ts';
import type { TextOptions } from './text.ts';

/** Half of the narrowest terminal, less what stands between the halves. */
const half = 29;

/** Side by side: the packet, read downwards, and its answer, read upwards. */
export function textOfFlow({ steps }: Pick<Flow, 'steps'>, { columns, color }: TextOptions): string[] {
  if (columns < 2 * half + 2) return outlineOfFlow({ steps });
  const rows = steps.flatMap((step) => (step.kind === 'place' ? placeRows(step, color) : hookRows(step)));
  return [...beside('there, downwards', 'back, upwards'), ...rows];
}

const pad = (text: string, plain = text): string => text + ' '.repeat(Math.max(0, half - plain.length));
const beside = (left: string, right: string): string[] => [`${pad(left)}  ${right}`.trimEnd()];

function placeRows({ zone, device, there, back }: Place, color: boolean): string[] {
  const name = device === null ? zone : `${device} (${zone})`;
  const line = (field: 'source' | 'destination'): string =>
    `${half1(there, field, color)}  ${half1(back, field, color)}`;
  return [
    `── ${name} ${'─'.repeat(2 * half - 2 - name.length)}`,
    line('source').trimEnd(),
    line('destination').trimEnd(),
  ];
}

/** One end of a packet, padded; an asterisk stands before what has changed since the place before. */
function half1(packet: Seen, field: 'source' | 'destination', color: boolean): string {
  const changed = packet.changed.includes(field);
  const plain = `${changed ? '*' : ' '} ${field === 'source' ? 'from' : 'to  '} ${endOf(packet, field)}`;
  return pad(changed && color ? styleText('bold', plain, { validateStream: false }) : plain, plain);
}

function hookRows({ there, back }: Hook): string[] {
  const lines = ({ hook, text }: Act, arrow: string): string[] => [
    `    ${arrow} ${hook}`,
    ...wrapped(text, half - 6).map((part) => `      ${part}`),
  ];
  const [left, right] = [lines(there, '↓'), lines(back, '↑')];
  return Array.from({ length: Math.max(left.length, right.length) }, (_, at) =>
    beside(left[at] ?? '', right[at] ?? ''),
  ).flat();
}

/** Words on lines of at most so many characters; a longer word has a line of its own. */
export function wrapped(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

/** The same as sentences, one after another: for a screen reader, and as a picture's description. */
export function outlineOfFlow({ steps }: Pick<Flow, 'steps'>): string[] {
  const tell = (way: 'there' | 'back', all: Flow['steps']): string[] =>
    all.flatMap((step) =>
      step.kind === 'hook'
        ? `    ${step[way].hook}: ${step[way].text}`
        : [`  at ${step.device === null ? step.zone : `${step.device} in ${step.zone}`}`, `    ${ends(step[way])}`],
    );
  return ['there:', ...tell('there', steps), 'back:', ...tell('back', steps.toReversed())];
}

const ends = (packet: Tuple): string => `from ${endOf(packet, 'source')} to ${endOf(packet, 'destination')}`;
