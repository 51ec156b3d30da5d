import type { Plan } from '@handwired/host';
import { picture, pictureTitle } from '../diagrams/pictures.ts';
import { foldCommands, foldOutput, foldPath, wrap } from './fold.ts';
import {
  allBlocks,
  type Block,
  type CommandBlock,
  type Guide,
  type GuideStep,
  plainText,
  type Section,
} from './guide.ts';
import { type GuideLook, paint, paintInlines } from './paint.ts';
import { anyLines, anyText } from './see.ts';
import { tableLines } from './table.ts';

/** What a guide is shown with besides its own text. */
export interface Shown extends GuideLook {
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
export function guideLines(guide: Guide, shown: Shown): string[] {
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
const spoken = { text: '<any text>', lines: '<any lines>' } as const;

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

function headingOf({ title }: Section, at: number, of: number, look: Shown): string {
  if (look.plain) return `Section ${at + 1} of ${of}: ${title}`;
  return paint('bold', title.toUpperCase(), look);
}

const indented = (lines: readonly string[], by: string): string[] =>
  lines.map((line) => (line === '' ? '' : by + line));

/** Blocks with an empty line between any two; of one that has nothing to show, such as no step for Docker, none. */
const blockLines = (blocks: readonly Block[], look: Shown): string[] =>
  blocks
    .map((block) => linesOf(block, look))
    .filter((lines) => lines.length > 0)
    .flatMap((lines, at) => [...(at > 0 ? [''] : []), ...lines]);

function linesOf(block: Block, look: Shown): string[] {
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
      return [...commandLines(block, look), ...seeLines(seenOf(block), look)];
    case 'step':
      return [...stepLines(block.step, look), ...seeLines(block.see, look)];
    case 'picture':
      return pictureBlock(block.name, look);
    case 'docker':
      return dockerLines(block.steps, look);
  }
}

function listLines({ ordered, start, items }: Extract<Block, { kind: 'list' }>, look: Shown): string[] {
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

const label = (text: string, look: Shown): string => indent + paint('dim', text, look);
const codeLines = (lines: readonly string[]): string[] => indented(lines, codeIndent);

function commandLines({ where, text, ends }: CommandBlock, look: Shown): string[] {
  const place = where === 'lab host' ? 'on the lab host' : 'on your own machine';
  return typed(ends === 'fails' ? `${place}; it will fail:` : `${place}:`, text, look);
}

const typed = (what: string, text: string, look: Shown): string[] => [
  label(`type ${what}`, look),
  ...codeLines(foldCommands(text, codeColumns(look)).map((line) => paint('cyan', line, look))),
];

/** A command of which nothing is said, and that is compared, prints nothing. */
const seenOf = ({ where, quiet, see }: CommandBlock): string | undefined =>
  see ?? (where === 'lab host' && !quiet ? '' : undefined);

function seeLines(see: string | undefined, look: Shown): string[] {
  if (see === undefined) return [];
  if (see.trim() === '') return [label('it prints nothing', look)];
  const text = look.plain ? see.replaceAll(anyText, spoken.text).replaceAll(/^\s*\.\.\.\s*$/gm, spoken.lines) : see;
  return [label('you should see:', look), ...codeLines(foldOutput(text, codeColumns(look)))];
}

const stepLines = ({ title, why, commands }: GuideStep, look: Shown): string[] => [
  ...wrap(paint('bold', title, look), look.columns, look.plain ? 'Step: ' : '▸ '),
  ...wrap(why, look.columns, indent),
  '',
  ...typed('on the lab host:', commands.join('\n'), look),
];

function pictureBlock(name: string, look: Shown): string[] {
  const caption = `${look.plain ? 'Picture: ' : ''}${pictureTitle(name, look.plan)}`;
  const drawn = picture(name, look.plan, look.plain ? 'plain' : 'text', look);
  return [...wrap(paint('dim', caption, look), look.columns), ...drawn.split('\n')];
}

const dockerLines = (steps: readonly Pick<GuideStep, 'title' | 'docker'>[], look: Shown): string[] =>
  steps.flatMap(({ title, docker }, at) => [
    ...(at > 0 ? [''] : []),
    ...wrap(paint('bold', title, look), look.columns, '- '),
    ...wrap(docker.does, look.columns, indent),
    ...foldPath(docker.source, look.columns - indent.length).map((line) => indent + paint('dim', line, look)),
  ]);
