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
  toPlainText,
  type Section,
} from './guide.ts';
import { anyLines, anyText } from './see.ts';

/** How a guide is shown, and what stands before and after its text. */
interface GuideFrame extends GuideStyle {
  plan: Plan;
  /** The line under the title. It says whose values these are. */
  subtitle: string;
  /** The last lines: what to type next. */
  next: readonly string[];
}

/** The longest line: text in longer ones is hard to read. */
const widest = 92;
const indent = '  ';
/** In a narrower terminal sections are not indented: pictures are up to 60 columns wide. */
const roomy = 64;
/** The indent of commands and outputs. */
const codeIndent = '      ';

/** A guide as text for a terminal, one element a line. */
export function guideLines(guide: Guide, shown: GuideFrame): string[] {
  const style = { ...shown, columns: Math.min(shown.columns, widest) };
  const { number, title } = guide.chapter;
  const margin = style.columns < roomy ? '' : indent;
  const inside = { ...style, columns: style.columns - margin.length };
  const sections = guide.sections.flatMap((section, at) => [
    '',
    renderSectionHeading(section, at, guide.sections.length, style),
    '',
    ...indentLines(renderBlocks(section.blocks, inside), margin),
  ]);
  return [
    ...wrapText(paint('bold', `Chapter ${number}: ${title}`, style), style.columns),
    ...[shown.subtitle, ...renderWildcardLegend(guide, style)].flatMap((line) =>
      wrapText(paint('dim', line, style), style.columns),
    ),
    ...sections,
    '',
    ...shown.next.map((line) => paint('dim', line, style)),
  ];
}

/** The words that a screen reader says for the wildcards of outputs. */
const spokenWildcards = { text: '<any text>', lines: '<any lines>' } as const;

/** Explains the wildcards that this guide uses. For a screen reader they are words, which need no explanation. */
function renderWildcardLegend({ sections }: Guide, { plain }: GuideStyle): string[] {
  const blocks = allBlocks(sections.flatMap((section) => section.blocks));
  const outputs = blocks.flatMap((block) => ('see' in block ? block.see.split('\n') : []));
  const used = [
    ...(outputs.some((line) => line.includes(anyText)) ? [`${anyText} may be any text`] : []),
    ...(outputs.some((line) => line.trim() === anyLines) ? [`${anyLines} any lines`] : []),
  ];
  return plain || used.length === 0 ? [] : [`in what you should see, ${used.join(', ')}`];
}

function renderSectionHeading({ title }: Section, at: number, of: number, style: GuideFrame): string {
  if (style.plain) return `Section ${at + 1} of ${of}: ${title}`;
  return paint('bold', title.toUpperCase(), style);
}

const indentLines = (lines: readonly string[], by: string): string[] =>
  lines.map((line) => (line === '' ? '' : by + line));

/** The lines of blocks, with an empty line between two blocks. A block without lines leaves no empty line. */
const renderBlocks = (blocks: readonly Block[], style: GuideFrame): string[] =>
  blocks
    .map((block) => renderBlock(block, style))
    .filter((lines) => lines.length > 0)
    .flatMap((lines, at) => [...(at > 0 ? [''] : []), ...lines]);

function renderBlock(block: Block, style: GuideFrame): string[] {
  switch (block.kind) {
    case 'text':
      return wrapText(paintInlines(block.inlines, style), style.columns);
    case 'heading':
      return wrapText(paint('bold', toPlainText(block.inlines), style), style.columns);
    case 'list':
      return renderList(block, style);
    case 'table':
      return renderTable(block, style);
    case 'quote': {
      const mark = style.plain ? indent : '│ ';
      return renderBlocks(block.blocks, { ...style, columns: style.columns - mark.length }).map((line) => mark + line);
    }
    case 'code':
      return indentCode(foldOutput(block.text, countCodeColumns(style)));
    case 'command':
      return [...renderCommand(block, style), ...renderExpectedOutput(findExpectedOutput(block), style)];
    case 'step':
      return [...renderStep(block.step, style), ...renderExpectedOutput(block.see, style)];
    case 'picture':
      return renderPicture(block.name, style);
    case 'docker':
      return renderDocker(block.steps, style);
  }
}

function renderList({ ordered, start, items }: Extract<Block, { kind: 'list' }>, style: GuideFrame): string[] {
  const loose = items.some((blocks) => blocks.length > 1);
  return items.flatMap((blocks, at) => {
    const mark = ordered ? `${start + at}. ` : '- ';
    const lines = renderBlocks(blocks, { ...style, columns: style.columns - mark.length });
    const item = lines.map((line, n) => (n === 0 ? mark + line : line === '' ? '' : ' '.repeat(mark.length) + line));
    return [...(loose && at > 0 ? [''] : []), ...item];
  });
}

/** The width of commands and outputs. For a screen reader their lines are not folded. */
const countCodeColumns = ({ columns, plain }: GuideStyle): number => (plain ? Infinity : columns - codeIndent.length);

const renderLabel = (text: string, style: GuideFrame): string => indent + paint('dim', text, style);
const indentCode = (lines: readonly string[]): string[] => indentLines(lines, codeIndent);

function renderCommand({ where, text, ends }: CommandBlock, style: GuideFrame): string[] {
  const place = where === 'lab host' ? 'on the lab host' : 'on your own machine';
  return renderTyped(ends === 'fails' ? `${place}; it will fail:` : `${place}:`, text, style);
}

const renderTyped = (what: string, text: string, style: GuideFrame): string[] => [
  renderLabel(`type ${what}`, style),
  ...indentCode(foldCommands(text, countCodeColumns(style)).map((line) => paint('cyan', line, style))),
];

/** What a command prints. Without a `see` fence a command on the lab host prints nothing, unless it is quiet. */
const findExpectedOutput = ({ where, quiet, see }: CommandBlock): string | undefined =>
  see ?? (where === 'lab host' && !quiet ? '' : undefined);

function renderExpectedOutput(see: string | undefined, style: GuideFrame): string[] {
  if (see === undefined) return [];
  if (see.trim() === '') return [renderLabel('it prints nothing', style)];
  const text = style.plain
    ? see.replaceAll(anyText, spokenWildcards.text).replaceAll(/^\s*\.\.\.\s*$/gm, spokenWildcards.lines)
    : see;
  return [renderLabel('you should see:', style), ...indentCode(foldOutput(text, countCodeColumns(style)))];
}

const renderStep = ({ title, why, commands }: GuideStep, style: GuideFrame): string[] => [
  ...wrapText(paint('bold', title, style), style.columns, style.plain ? 'Step: ' : '▸ '),
  ...wrapText(why, style.columns, indent),
  '',
  ...renderTyped('on the lab host:', commands.join('\n'), style),
];

function renderPicture(name: string, style: GuideFrame): string[] {
  const caption = `${style.plain ? 'Picture: ' : ''}${pictureTitle(name, style.plan)}`;
  const drawn = picture(name, style.plan, style.plain ? 'plain' : 'text', style);
  return [...wrapText(paint('dim', caption, style), style.columns), ...drawn.split('\n')];
}

const renderDocker = (steps: readonly Pick<GuideStep, 'title' | 'docker'>[], style: GuideFrame): string[] =>
  steps.flatMap(({ title, docker }, at) => [
    ...(at > 0 ? [''] : []),
    ...wrapText(paint('bold', title, style), style.columns, '- '),
    ...wrapText(docker.does, style.columns, indent),
    ...foldPath(docker.source, style.columns - indent.length).map((line) => indent + paint('dim', line, style)),
  ]);

// Colours and text styles.

/** How text is written to a terminal. */
export interface GuideStyle {
  /** Characters a line. */
  columns: number;
  color: boolean;
  /** For a screen reader: nothing drawn, no colour, everything said in words. */
  plain: boolean;
}

type Style = 'bold' | 'dim' | 'italic' | 'cyan' | 'underline';

/** The text with those styles, where there is colour. */
export const paint = (styles: Style | Style[], text: string, { color, plain }: GuideStyle): string =>
  color && !plain ? styleText(styles, text, { validateStream: false }) : text;

/** Text inside a line. Where there is no colour, code stands in backquotes. */
function paintInlines(inlines: readonly Inline[], style: GuideStyle): string {
  return inlines
    .map((inline) => {
      switch (inline.kind) {
        case 'text':
          return inline.text.replaceAll(/\s+/g, ' ');
        case 'code':
          return style.color && !style.plain ? paint('cyan', inline.text, style) : `\`${inline.text}\``;
        case 'strong':
          return paint('bold', paintInlines(inline.inlines, style), style);
        case 'emphasis':
          return paint('italic', paintInlines(inline.inlines, style), style);
        case 'link':
          return `${paint('underline', paintInlines(inline.inlines, style), style)} (${inline.href})`;
        case 'break':
          return '\n';
      }
    })
    .join('');
}

// Tables.

/** The least width of a column. A table that needs narrower columns is printed as a list. */
const narrowest = 16;
const gap = '  ';

/** A table in columns with folded cells. For a screen reader, and where it does not fit, each row is a list. */
function renderTable({ head, rows }: Extract<Block, { kind: 'table' }>, style: GuideStyle): string[] {
  const heads = head.map(toPlainText);
  const cells = rows.map((row) => row.map((cell) => paintInlines(cell, { ...style, color: false })));
  const natural = heads.map((text, at) => Math.max(text.length, ...cells.map((row) => row[at]?.length ?? 0)));
  const widths = shrinkWidths(natural, style.columns - gap.length * (heads.length - 1));
  if (style.plain || !widths) return cells.flatMap((row) => renderRowAsList(heads, row, style));
  const drawn = cells.map((row) => renderRow(row, widths));
  const apart = drawn.some((lines) => lines.length > 1);
  return [
    ...renderRow(heads, widths).map((line) => paint('bold', line, style)),
    ...drawn.flatMap((lines, at) => [...(apart && at > 0 ? [''] : []), ...lines]),
  ];
}

/** Column widths that fit. The widest column is made narrower first. undefined when none fit. */
function shrinkWidths(natural: readonly number[], columns: number): number[] | undefined {
  const widths = [...natural];
  for (let over = addUp(widths) - columns; over > 0; over -= 1) {
    const widest = widths.indexOf(Math.max(...widths));
    const width = (widths[widest] ?? 0) - 1;
    if (width < narrowest) return undefined;
    widths[widest] = width;
  }
  return widths;
}

const addUp = (numbers: readonly number[]): number => numbers.reduce((all, one) => all + one, 0);

/** The lines of a row, its cells beside each other. */
function renderRow(row: readonly string[], widths: readonly number[]): string[] {
  const columns = row.map((cell, at) => wrapText(cell, widths[at] ?? narrowest));
  const height = Math.max(...columns.map((lines) => lines.length));
  return Array.from({ length: height }, (_, y) =>
    columns
      .map((lines, at) => (lines[y] ?? '').padEnd(widths[at] ?? 0))
      .join(gap)
      .trimEnd(),
  );
}

const renderRowAsList = (heads: readonly string[], row: readonly string[], style: GuideStyle): string[] =>
  row.flatMap((cell, at) => wrapText(`${heads[at] ?? ''}: ${cell}`, style.columns, at === 0 ? '- ' : '  ', '    '));

// Long lines.

/** Wraps text at blanks, a long word anywhere. The first line begins with `first`, the others with `others`. */
export function wrapText(text: string, columns: number, first = '', others = ' '.repeat(first.length)): string[] {
  const lines = wrapAnsi(text, Math.max(10, columns - others.length), { hard: true }).split('\n');
  return lines.map((line, at) => `${at === 0 ? first : others}${line}`.trimEnd());
}

/** The indent of the further lines of a folded command or output. */
const further = '    ';

/**
 * Folds a command line into lines that a shell reads as one: at blanks outside of quotes, with `\` at the ends, before an
 * option or an operator if that does not make a line short. A line without such a blank stays long.
 */
export function foldCommand(line: string, columns: number): string[] {
  if (line.length <= columns || line.trimStart().startsWith('#')) return [line];
  const lines: string[] = [];
  let rest = splitShellWords(line);
  while (rest.length > 0) {
    const before = lines.length === 0 ? '' : further;
    const fit = countFitting(rest, columns - before.length);
    lines.push(before + rest.slice(0, fit).join(' '));
    rest = rest.slice(fit);
  }
  return lines.map((each, at) => (at < lines.length - 1 ? `${each} \\` : each));
}

/**
 * Where to break a line, in order of preference: what the next line begins with, and how full this line must then be
 * at least.
 */
const preferences: readonly [begins: RegExp, share: number][] = [
  [/^(\||&&)/, 0.4],
  [/^(-|!)/, 0.6],
];

/** How many of the words go on one line: at least one. */
function countFitting(words: readonly string[], columns: number): number {
  if (words.join(' ').length <= columns) return words.length;
  const measureFolded = (count: number): number => words.slice(0, count).join(' ').length + ' \\'.length;
  let most = 1;
  while (most < words.length && measureFolded(most + 1) <= columns) most += 1;
  // A break before a pipe or a list is best, then one before an option, then one before any other word.
  for (const [begins, share] of preferences)
    for (let count = most; count > 1 && measureFolded(count) > columns * share; count -= 1)
      if (begins.test(words[count] ?? '') && words[count - 1] !== '!') return count;
  return most;
}

/** The words of a shell line, with quoted blanks inside words. The blanks at its start belong to the first. */
const splitShellWords = (line: string): string[] =>
  line.match(/^\s*(?:'[^']*'|"(?:\\.|[^"\\])*"|\\.|\S)+|(?:'[^']*'|"(?:\\.|[^"\\])*"|\\.|[^\s'"\\])+|\S+/g) ?? [];

/** Folds each line of a block of commands. A block with a here document stays as it is. */
export const foldCommands = (text: string, columns: number): string[] => {
  const lines = text.split('\n');
  return text.includes('<<') ? lines : lines.flatMap((line) => foldCommand(line, columns));
};

/** Folds an output. It keeps its blanks; the rest of a long line is indented. */
export const foldOutput = (text: string, columns: number): string[] =>
  text.split('\n').flatMap((line) => {
    if (line.length <= columns) return [line];
    const lines = wrapAnsi(line, columns - further.length, { hard: true, trim: false }).split('\n');
    return lines.map((each, at) => (at === 0 ? each : further + each.trimStart()).trimEnd());
  });

/** Folds a path or a list of names, at slashes too. */
export function foldPath(text: string, columns: number): string[] {
  const lines = [''];
  for (const piece of text.split(/(?<=[/ ])/)) {
    const joined = `${lines.at(-1) ?? ''}${piece}`;
    if (joined.trimEnd().length > columns && lines.at(-1) !== '') lines.push(piece);
    else lines[lines.length - 1] = joined;
  }
  return lines.map((line) => line.trimEnd());
}
