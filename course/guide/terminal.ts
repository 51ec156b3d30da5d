/** A guide as lines for a terminal, or for a screen reader. */
import { styleText } from 'node:util';
import { wrapAnsi } from 'fast-wrap-ansi';
import type { Plan } from '@handwired/host';
import { picture, pictureTitle } from '../diagrams/pictures.ts';
import {
  allBlocks,
  type Block,
  type CommandBlock,
  type Guide,
  type GuideStep,
  type Inline,
  plainText,
  type Section,
} from './guide.ts';
import { anyLines, anyText } from './see.ts';

/** What a guide is shown with besides its own text. */
interface GuideFrame extends GuideLook {
  plan: Plan;
  /** Said under the title: whose values these are. */
  subtitle: string;
  /** Said at the end: what to type next. */
  next: readonly string[];
}

/** Text of guides is easier to read in lines that are not longer. */
const widest = 92;
const indent = '  ';
/** Terminals that are narrower have no room for the indent of a section: pictures are up to 60 wide. */
const roomy = 64;
/** Of commands and outputs. */
const codeIndent = '      ';

/** A guide as text for a terminal, one element a line. */
export function guideLines(guide: Guide, shown: GuideFrame): string[] {
  const look = { ...shown, columns: Math.min(shown.columns, widest) };
  const { number, title } = guide.chapter;
  const margin = look.columns < roomy ? '' : indent;
  const inside = { ...look, columns: look.columns - margin.length };
  const sections = guide.sections.flatMap((section, at) => [
    '',
    headingOf(section, at, guide.sections.length, look),
    '',
    ...indented(blockLines(section.blocks, inside), margin),
  ]);
  return [
    ...wrap(paint('bold', `Chapter ${number}: ${title}`, look), look.columns),
    ...[shown.subtitle, ...legendOf(guide, look)].flatMap((line) => wrap(paint('dim', line, look), look.columns)),
    ...sections,
    '',
    ...shown.next.map((line) => paint('dim', line, look)),
  ];
}

/** What the wildcards of a guide's outputs are called for one who hears them. */
const spokenWildcards = { text: '<any text>', lines: '<any lines>' } as const;

/** What stands for what in the outputs of this guide. In the words for a screen reader it is said. */
function legendOf({ sections }: Guide, { plain }: GuideLook): string[] {
  const blocks = allBlocks(sections.flatMap((section) => section.blocks));
  const outputs = blocks.flatMap((block) => ('see' in block ? block.see.split('\n') : []));
  const used = [
    ...(outputs.some((line) => line.includes(anyText)) ? [`${anyText} may be any text`] : []),
    ...(outputs.some((line) => line.trim() === anyLines) ? [`${anyLines} any lines`] : []),
  ];
  return plain || used.length === 0 ? [] : [`in what you should see, ${used.join(', ')}`];
}

function headingOf({ title }: Section, at: number, of: number, look: GuideFrame): string {
  if (look.plain) return `Section ${at + 1} of ${of}: ${title}`;
  return paint('bold', title.toUpperCase(), look);
}

const indented = (lines: readonly string[], by: string): string[] =>
  lines.map((line) => (line === '' ? '' : by + line));

/** Blocks with an empty line between any two; of one that has nothing to show, such as no step for Docker, none. */
const blockLines = (blocks: readonly Block[], look: GuideFrame): string[] =>
  blocks
    .map((block) => linesFor(block, look))
    .filter((lines) => lines.length > 0)
    .flatMap((lines, at) => [...(at > 0 ? [''] : []), ...lines]);

function linesFor(block: Block, look: GuideFrame): string[] {
  switch (block.kind) {
    case 'text':
      return wrap(paintInlines(block.inlines, look), look.columns);
    case 'heading':
      return wrap(paint('bold', plainText(block.inlines), look), look.columns);
    case 'list':
      return listLines(block, look);
    case 'table':
      return tableLines(block, look);
    case 'quote': {
      const mark = look.plain ? indent : '│ ';
      return blockLines(block.blocks, { ...look, columns: look.columns - mark.length }).map((line) => mark + line);
    }
    case 'code':
      return codeLines(foldOutput(block.text, codeColumns(look)));
    case 'command':
      return [...commandLines(block, look), ...seeLines(expectedOutput(block), look)];
    case 'step':
      return [...stepLines(block.step, look), ...seeLines(block.see, look)];
    case 'picture':
      return pictureBlock(block.name, look);
    case 'docker':
      return dockerLines(block.steps, look);
  }
}

function listLines({ ordered, start, items }: Extract<Block, { kind: 'list' }>, look: GuideFrame): string[] {
  const loose = items.some((blocks) => blocks.length > 1);
  return items.flatMap((blocks, at) => {
    const mark = ordered ? `${start + at}. ` : '- ';
    const lines = blockLines(blocks, { ...look, columns: look.columns - mark.length });
    const item = lines.map((line, n) => (n === 0 ? mark + line : line === '' ? '' : ' '.repeat(mark.length) + line));
    return [...(loose && at > 0 ? [''] : []), ...item];
  });
}

/** A line of a command or an output is one line to one who hears it. */
const codeColumns = ({ columns, plain }: GuideLook): number => (plain ? Infinity : columns - codeIndent.length);

const label = (text: string, look: GuideFrame): string => indent + paint('dim', text, look);
const codeLines = (lines: readonly string[]): string[] => indented(lines, codeIndent);

function commandLines({ where, text, ends }: CommandBlock, look: GuideFrame): string[] {
  const place = where === 'lab host' ? 'on the lab host' : 'on your own machine';
  return typed(ends === 'fails' ? `${place}; it will fail:` : `${place}:`, text, look);
}

const typed = (what: string, text: string, look: GuideFrame): string[] => [
  label(`type ${what}`, look),
  ...codeLines(foldCommands(text, codeColumns(look)).map((line) => paint('cyan', line, look))),
];

/** A command of which nothing is said, and that is compared, prints nothing. */
const expectedOutput = ({ where, quiet, see }: CommandBlock): string | undefined =>
  see ?? (where === 'lab host' && !quiet ? '' : undefined);

function seeLines(see: string | undefined, look: GuideFrame): string[] {
  if (see === undefined) return [];
  if (see.trim() === '') return [label('it prints nothing', look)];
  const text = look.plain
    ? see.replaceAll(anyText, spokenWildcards.text).replaceAll(/^\s*\.\.\.\s*$/gm, spokenWildcards.lines)
    : see;
  return [label('you should see:', look), ...codeLines(foldOutput(text, codeColumns(look)))];
}

const stepLines = ({ title, why, commands }: GuideStep, look: GuideFrame): string[] => [
  ...wrap(paint('bold', title, look), look.columns, look.plain ? 'Step: ' : '▸ '),
  ...wrap(why, look.columns, indent),
  '',
  ...typed('on the lab host:', commands.join('\n'), look),
];

function pictureBlock(name: string, look: GuideFrame): string[] {
  const caption = `${look.plain ? 'Picture: ' : ''}${pictureTitle(name, look.plan)}`;
  const drawn = picture(name, look.plan, look.plain ? 'plain' : 'text', look);
  return [...wrap(paint('dim', caption, look), look.columns), ...drawn.split('\n')];
}

const dockerLines = (steps: readonly Pick<GuideStep, 'title' | 'docker'>[], look: GuideFrame): string[] =>
  steps.flatMap(({ title, docker }, at) => [
    ...(at > 0 ? [''] : []),
    ...wrap(paint('bold', title, look), look.columns, '- '),
    ...wrap(docker.does, look.columns, indent),
    ...foldPath(docker.source, look.columns - indent.length).map((line) => indent + paint('dim', line, look)),
  ]);

// Colours and text styles.

/** How a guide is to come out in a terminal. */
export interface GuideLook {
  /** Characters a line. */
  columns: number;
  color: boolean;
  /** For a screen reader: nothing drawn, no colour, everything said in words. */
  plain: boolean;
}

type Style = 'bold' | 'dim' | 'italic' | 'cyan' | 'underline';

export const paint = (styles: Style | Style[], text: string, { color, plain }: GuideLook): string =>
  color && !plain ? styleText(styles, text, { validateStream: false }) : text;

/** Text inside a line. Without colour code is known by its backquotes. */
function paintInlines(inlines: readonly Inline[], look: GuideLook): string {
  return inlines
    .map((inline) => {
      switch (inline.kind) {
        case 'text':
          return inline.text.replaceAll(/\s+/g, ' ');
        case 'code':
          return look.color && !look.plain ? paint('cyan', inline.text, look) : `\`${inline.text}\``;
        case 'strong':
          return paint('bold', paintInlines(inline.inlines, look), look);
        case 'emphasis':
          return paint('italic', paintInlines(inline.inlines, look), look);
        case 'link':
          return `${paint('underline', paintInlines(inline.inlines, look), look)} (${inline.href})`;
        case 'break':
          return '\n';
      }
    })
    .join('');
}

// Tables.

/** A column is not made narrower than this; where that is not enough, a table becomes a list. */
const narrowest = 16;
const gap = '  ';

/** In columns, with cells over several lines, where there is room; else, and for a screen reader, each row as a list. */
function tableLines({ head, rows }: Extract<Block, { kind: 'table' }>, look: GuideLook): string[] {
  const heads = head.map(plainText);
  const cells = rows.map((row) => row.map((cell) => paintInlines(cell, { ...look, color: false })));
  const natural = heads.map((text, at) => Math.max(text.length, ...cells.map((row) => row[at]?.length ?? 0)));
  const widths = shrunk(natural, look.columns - gap.length * (heads.length - 1));
  if (look.plain || !widths) return cells.flatMap((row) => listed(heads, row, look));
  const drawn = cells.map((row) => side(row, widths));
  const apart = drawn.some((lines) => lines.length > 1);
  return [
    ...side(heads, widths).map((line) => paint('bold', line, look)),
    ...drawn.flatMap((lines, at) => [...(apart && at > 0 ? [''] : []), ...lines]),
  ];
}

/** Widths that fit: the widest columns give way. undefined: they can't. */
function shrunk(natural: readonly number[], columns: number): number[] | undefined {
  const widths = [...natural];
  for (let over = sum(widths) - columns; over > 0; over -= 1) {
    const widest = widths.indexOf(Math.max(...widths));
    const width = (widths[widest] ?? 0) - 1;
    if (width < narrowest) return undefined;
    widths[widest] = width;
  }
  return widths;
}

const sum = (numbers: readonly number[]): number => numbers.reduce((all, one) => all + one, 0);

/** Cells beside each other. */
function side(row: readonly string[], widths: readonly number[]): string[] {
  const columns = row.map((cell, at) => wrap(cell, widths[at] ?? narrowest));
  const height = Math.max(...columns.map((lines) => lines.length));
  return Array.from({ length: height }, (_, y) =>
    columns
      .map((lines, at) => (lines[y] ?? '').padEnd(widths[at] ?? 0))
      .join(gap)
      .trimEnd(),
  );
}

const listed = (heads: readonly string[], row: readonly string[], look: GuideLook): string[] =>
  row.flatMap((cell, at) => wrap(`${heads[at] ?? ''}: ${cell}`, look.columns, at === 0 ? '- ' : '  ', '    '));

// Long lines.

/** Wraps text at blanks, a long word anywhere. The first line begins with `first`, the others as far to the right. */
export function wrap(text: string, columns: number, first = '', others = ' '.repeat(first.length)): string[] {
  const lines = wrapAnsi(text, Math.max(10, columns - others.length), { hard: true }).split('\n');
  return lines.map((line, at) => `${at === 0 ? first : others}${line}`.trimEnd());
}

/** What goes before the rest of a command or of an output that did not fit on one line. */
const further = '    ';

/**
 * A command line as lines that can be copied as they are: folded at blanks outside of quotes, with `\` at the ends,
 * before an option or an operator if that does not make a line short. What can't be folded so stays long.
 */
export function foldCommand(line: string, columns: number): string[] {
  if (line.length <= columns || line.trimStart().startsWith('#')) return [line];
  const lines: string[] = [];
  let rest = shellWords(line);
  while (rest.length > 0) {
    const before = lines.length === 0 ? '' : further;
    const fit = fitting(rest, columns - before.length);
    lines.push(before + rest.slice(0, fit).join(' '));
    rest = rest.slice(fit);
  }
  return lines.map((each, at) => (at < lines.length - 1 ? `${each} \\` : each));
}

/** What a line had better begin with, and how much of the line before must be full for it. */
const preferences: readonly [begins: RegExp, share: number][] = [
  [/^(\||&&)/, 0.4],
  [/^(-|!)/, 0.6],
];

/** How many of the words go on a line, one at least. */
function fitting(words: readonly string[], columns: number): number {
  if (words.join(' ').length <= columns) return words.length;
  const lengthOf = (count: number): number => words.slice(0, count).join(' ').length + ' \\'.length;
  let most = 1;
  while (most < words.length && lengthOf(most + 1) <= columns) most += 1;
  // A pipe or a list before an option, and that before any other word.
  for (const [begins, share] of preferences)
    for (let count = most; count > 1 && lengthOf(count) > columns * share; count -= 1)
      if (begins.test(words[count] ?? '') && words[count - 1] !== '!') return count;
  return most;
}

/** The words of a shell line, with quoted blanks inside words. The blanks at its start belong to the first. */
const shellWords = (line: string): string[] =>
  line.match(/^\s*(?:'[^']*'|"(?:\\.|[^"\\])*"|\\.|\S)+|(?:'[^']*'|"(?:\\.|[^"\\])*"|\\.|[^\s'"\\])+|\S+/g) ?? [];

/** A block of commands; one with a here document stays as it is. */
export const foldCommands = (text: string, columns: number): string[] => {
  const lines = text.split('\n');
  return text.includes('<<') ? lines : lines.flatMap((line) => foldCommand(line, columns));
};

/** Output of a command: it keeps its blanks, and what is too long goes on further to the right. */
export const foldOutput = (text: string, columns: number): string[] =>
  text.split('\n').flatMap((line) => {
    if (line.length <= columns) return [line];
    const lines = wrapAnsi(line, columns - further.length, { hard: true, trim: false }).split('\n');
    return lines.map((each, at) => (at === 0 ? each : further + each.trimStart()).trimEnd());
  });

/** A path or a list of names: folded at slashes as well. */
export function foldPath(text: string, columns: number): string[] {
  const lines = [''];
  for (const piece of text.split(/(?<=[/ ])/)) {
    const joined = `${lines.at(-1) ?? ''}${piece}`;
    if (joined.trimEnd().length > columns && lines.at(-1) !== '') lines.push(piece);
    else lines[lines.length - 1] = joined;
  }
  return lines.map((line) => line.trimEnd());
}
