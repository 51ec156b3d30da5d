/** Reads labs/NN-id/guide.md: fills in the lab's values, reads the Markdown, and puts the chapter's steps into it. */
import { readFile } from 'node:fs/promises';
import { type ChapterId, type ChapterInfo, dockerHost, EXIT, LabError, type Plan, world } from '@handwired/host';
import { Marked, type Token, type Tokens } from 'marked';
import { type Chapter, type Course, findChapter } from '../chapter.ts';
import { pictureNames } from '../diagrams/pictures.ts';
import { recordSteps } from '../run.ts';
import {
  type Block,
  type CommandBlock,
  type Guide,
  type GuideStep,
  headings,
  type Inline,
  type Section,
  type SectionId,
} from './guide.ts';

/** The path of a chapter's guide, for messages: `labs/02-bridge/guide.md`. */
export const guideFile = ({ number, id }: ChapterInfo): string => `labs/${number}-${id}/guide.md`;

/**
 * Reads a chapter's guide, fills in values and steps, and lists what is wrong with it. undefined when the chapter has
 * no guide.
 */
export async function readGuide(course: Course, id: ChapterId, values: Values): Promise<ParsedGuide | undefined> {
  const chapter = findChapter(course, id);
  const file = new URL(`${chapter.number}-${id}/guide.md`, course.folder);
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  });
  if (text === undefined) return undefined;
  return parseGuide(text, chapter, { ...values, steps: listGuideSteps(chapter, values.plan) });
}

/** A chapter's guide for a reader. Throws LabError (3), our error, when it is missing or can't be read. */
export async function loadGuide(course: Course, id: ChapterId, values: Values): Promise<Guide> {
  const parsed = await readGuide(course, id, values);
  const [problem] = parsed?.problems ?? [];
  if (parsed && !problem) return parsed.guide;
  const file = guideFile(findChapter(course, id));
  throw new LabError({
    what: problem ? `the guide can't be read: ${problem.what}` : `chapter ${id} has no guide yet`,
    where: problem ? `${file}:${problem.line}` : file,
    next: 'lab guide',
    exit: EXIT.fault,
  });
}

/**
 * A chapter's steps as a guide shows them. Commands that need a note (`after`) are left out, because only `lab build`
 * makes notes.
 */
export const listGuideSteps = (chapter: Chapter, plan: Plan): GuideStep[] =>
  recordSteps('build', plan, [chapter]).map(({ commands, ...step }) => ({
    ...step,
    commands: commands.filter(({ after }) => !after).map(({ run }) => run.cmd),
  }));

/** Something wrong in a guide's text, with its line in guide.md. */
interface Problem {
  line: number;
  what: string;
}

/** A guide, and what is wrong with its text: no problems when it is right. */
export interface ParsedGuide {
  guide: Guide;
  problems: readonly Problem[];
}

/** Reads the text of a chapter's guide. Throws nothing: what can't be read is left out, and is among the problems. */
export function parseGuide(
  text: string,
  chapter: ChapterInfo,
  { steps, ...values }: Values & Pick<Reading, 'steps'>,
): ParsedGuide {
  const problems: Problem[] = [];
  const problem: Reading['problem'] = (line, what) => void problems.push({ line, what });
  const filled = fillInValues(text, values, (path, line) => problem(line, `no value is called {{${path}}}`));
  const parts = readParts(filled, { steps, isPicture, problem });
  const sections = readSections(parts, problem);
  return { guide: { chapter, sections }, problems: problems.toSorted((one, other) => one.line - other.line) };
}

const isPicture: Reading['isPicture'] = (name) => pictureNames.some((one) => one === name);

function readSections(parts: readonly Part[], problem: Reading['problem']): Section[] {
  const wanted = Object.entries(headings) as [SectionId, string][];
  const sections: Section[] = [];
  for (const { title, line, blocks } of parts) {
    const id = wanted.find(([, heading]) => heading === title)?.[0];
    if (title === undefined) problem(line, `text before the first heading, ## ${headings.able}`);
    else if (id === undefined) problem(line, `not a heading of a guide: ## ${title}`);
    else sections.push({ id, title, blocks });
  }
  const titles = sections.map((section) => section.title);
  if (titles.join('\n') !== wanted.map(([, heading]) => heading).join('\n'))
    problem(1, `a guide has each of these headings once, in this order: ${wanted.map(([, one]) => one).join(', ')}`);
  return sections;
}

/** What `{{...}}` in a guide may name: `plan.bridge`, `plan.ct1.address`, `world.uplink.name`, `docker.netns`, `lab`. */
export interface Values {
  plan: Plan;
  /** The lab's name, as it is typed. */
  lab: string;
}

/**
 * Replaces each `{{dotted.path}}` by its value. `onUnknown` is called with each path that has no value, and its line.
 * `{{.State.Pid}}` is a template for Docker, and stays.
 */
export function fillInValues(text: string, values: Values, onUnknown: (path: string, line: number) => void): string {
  const root = { ...values, world, docker: dockerHost };
  return text.replaceAll(/\{\{([^{}\n]*)\}\}/g, (whole, inside: string, at: number) => {
    if (/(^|\s)\./.test(inside)) return whole;
    const path = inside.trim();
    const value = path.split('.').reduce<unknown>(readMember, root);
    if (typeof value === 'string' || typeof value === 'number') return String(value);
    onUnknown(path, text.slice(0, at).split('\n').length);
    return whole;
  });
}

const readMember = (from: unknown, key: string): unknown =>
  typeof from === 'object' && from !== null && Object.hasOwn(from, key)
    ? (from as Record<string, unknown>)[key]
    : undefined;

interface Directive {
  type: 'directive';
  raw: string;
  word: string;
  id: string;
}

const directive = /^::([a-z]+)(?:\{([^}\n]*)\})?[ \t]*(?:\n+|$)/;

const markdown = new Marked({
  extensions: [
    {
      name: 'directive',
      level: 'block',
      start: (text: string) => {
        const at = text.search(/^::/m);
        return at < 0 ? undefined : at;
      },
      tokenizer: (text: string): Directive | undefined => {
        const [raw, word, id = ''] = directive.exec(text) ?? [];
        return raw === undefined || word === undefined ? undefined : { type: 'directive', raw, word, id };
      },
    },
  ],
});

/** A heading of the second level and the blocks below it; those before the first heading have no title. */
export interface Part {
  title: string | undefined;
  line: number;
  blocks: Block[];
}

/** Reads guide text: CommonMark with tables, `::` lines and command fences. */
export function readParts(text: string, reading: Reading): Part[] {
  const parts: Part[] = [];
  let line = 1;
  let tokens: Placed[] = [];
  let part: Part = { title: undefined, line, blocks: [] };
  const close = (): void => {
    part.blocks = readBlocks(tokens, reading);
    if (part.title !== undefined || part.blocks.length > 0) parts.push(part);
    tokens = [];
  };
  for (const token of markdown.lexer(text)) {
    if (token.type === 'heading' && (token as Tokens.Heading).depth <= 2) {
      close();
      const heading = token as Tokens.Heading;
      if (heading.depth === 1) reading.problem(line, 'the title comes from chapter.ts: a guide begins with ##');
      part = { title: heading.text, line, blocks: [] };
    } else tokens.push({ token, line });
    line += token.raw.split('\n').length - 1;
  }
  close();
  return parts;
}

/** A token with the line that it begins on; for a token inside a list, the line of the list. */
interface Placed {
  token: Token;
  line: number;
}

function readBlocks(placed: readonly Placed[], reading: Reading): Block[] {
  const blocks: Block[] = [];
  for (const { token, line } of placed.filter((one) => one.token.type !== 'space' && one.token.type !== 'def')) {
    if (token.type === 'code' && splitFenceWords(token as Tokens.Code)[0] === 'see') {
      addSee(blocks.at(-1), token as Tokens.Code, line, reading);
      continue;
    }
    const block = readBlock(token, line, reading);
    if (block) blocks.push(block);
  }
  return blocks;
}

const splitFenceWords = ({ lang }: Tokens.Code): string[] => (lang ?? '').trim().split(/\s+/);

function addSee(before: Block | undefined, token: Tokens.Code, line: number, reading: Reading): void {
  checkFence(token, line, reading);
  const wrong = describeSeeProblem(before);
  if (wrong !== undefined) reading.problem(line, wrong);
  else if (before?.kind === 'command' || before?.kind === 'step') before.see = token.text;
}

function describeSeeProblem(before: Block | undefined): string | undefined {
  if (before?.kind !== 'command' && before?.kind !== 'step') return 'a see fence stands right after sh, lab or ::step';
  if (before.see !== undefined) return 'a second see fence for the same commands';
  const quiet = before.kind === 'command' && before.quiet;
  return quiet ? 'a see fence after quiet commands, which are not compared' : undefined;
}

function readBlock(token: Token, line: number, reading: Reading): Block | undefined {
  const readInside = (tokens: readonly Token[]): Block[] =>
    readBlocks(
      tokens.map((each) => ({ token: each, line })),
      reading,
    );
  switch (token.type) {
    case 'paragraph':
    case 'text': {
      const { text, tokens } = token as Tokens.Paragraph;
      if (/^::/m.test(text)) reading.problem(line, `not a :: line of ours: ${quoteFirstLine(text)}`);
      return { kind: 'text', inlines: readInlines(tokens, line, reading) };
    }
    case 'heading':
      return { kind: 'heading', inlines: readInlines((token as Tokens.Heading).tokens, line, reading) };
    case 'list': {
      const { ordered, start, items } = token as Tokens.List;
      return {
        kind: 'list',
        ordered,
        start: start === '' ? 1 : start,
        items: items.map((item) => readInside(item.tokens)),
      };
    }
    case 'table': {
      const { header, rows } = token as Tokens.Table;
      const readCells = (row: readonly Tokens.TableCell[]) =>
        row.map(({ tokens }) => readInlines(tokens, line, reading));
      return { kind: 'table', head: readCells(header), rows: rows.map(readCells) };
    }
    case 'blockquote':
      return { kind: 'quote', blocks: readInside((token as Tokens.Blockquote).tokens) };
    case 'code':
      return readFence(token as Tokens.Code, line, reading);
    case 'directive':
      return readDirective(token as Directive, line, reading);
    default: {
      reading.problem(line, `a guide has no ${token.type}: ${quoteFirstLine(token.raw)}`);
      return undefined;
    }
  }
}

function checkFence(token: Tokens.Code, line: number, { problem }: Reading): void {
  if (token.codeBlockStyle === 'indented') problem(line, 'text that is indented by four is code: use a fence');
  else if (!/\n[ \t]*(`{3,}|~{3,})\s*$/.test(token.raw))
    problem(line, `a fence that is not closed: ${quoteFirstLine(token.raw)}`);
}

/** Languages of fences that a writer could take for `sh`. They would only be shown, not run. */
const almost = ['bash', 'shell', 'console', 'terminal'];

function readFence(token: Tokens.Code, line: number, reading: Reading): Block | undefined {
  checkFence(token, line, reading);
  const [language = '', ...flags] = splitFenceWords(token);
  if (almost.includes(language)) reading.problem(line, `commands stand in a fence of sh or lab, not ${language}`);
  if (language !== 'sh' && language !== 'lab') return { kind: 'code', language, text: token.text };
  const unknown = flags.filter((flag) => flag !== 'fails' && flag !== 'quiet');
  if (unknown.length > 0) reading.problem(line, `${language} takes fails and quiet, not ${unknown.join(' ')}`);
  if (token.text.trim() === '') reading.problem(line, `${language} without a command`);
  const command: CommandBlock = {
    kind: 'command',
    where: language === 'sh' ? 'lab host' : 'own machine',
    text: token.text,
    ends: flags.includes('fails') ? 'fails' : 'well',
    quiet: flags.includes('quiet'),
    line,
  };
  return command;
}

function readDirective({ word, id, raw }: Directive, line: number, reading: Reading): Block | undefined {
  const { problem, steps } = reading;
  if (word === 'picture') {
    if (!reading.isPicture(id)) problem(line, `there is no picture '${id}'`);
    return { kind: 'picture', name: id };
  }
  if (word === 'docker') {
    if (id !== '') problem(line, '::docker takes nothing in braces');
    return { kind: 'docker', steps };
  }
  const step = word === 'step' ? steps.find((one) => one.id === id) : undefined;
  if (step) return { kind: 'step', step, line };
  const known = steps.map((one) => one.id).join(' ') || 'none';
  if (word === 'step') problem(line, `the chapter has no step '${id}'; its steps: ${known}`);
  else problem(line, `not a :: line of ours: ${quoteFirstLine(raw)}`);
  return undefined;
}

/**
 * What the readers of blocks need: the chapter's steps, which pictures there are, and a function that notes a
 * problem.
 */
export interface Reading {
  steps: readonly GuideStep[];
  isPicture: (name: string) => boolean;
  problem: (line: number, what: string) => void;
}

/** Text inside a line. What a guide may not have is left out, and is a problem. */
function readInlines(tokens: readonly Token[], line: number, reading: Reading): Inline[] {
  return tokens.flatMap((token): Inline[] => {
    const readInner = (): Inline[] => readInlines((token as { tokens?: Token[] }).tokens ?? [], line, reading);
    switch (token.type) {
      case 'text': {
        const { text, tokens: deeper } = token as Tokens.Text;
        if (deeper) return readInner();
        if (/&#?\w+;/.test(text)) reading.problem(line, `write the character itself: ${quoteFirstLine(text)}`);
        return [{ kind: 'text', text }];
      }
      case 'escape':
        return [{ kind: 'text', text: (token as Tokens.Escape).text }];
      case 'codespan':
        return [{ kind: 'code', text: (token as Tokens.Codespan).text }];
      case 'strong':
        return [{ kind: 'strong', inlines: readInner() }];
      case 'em':
        return [{ kind: 'emphasis', inlines: readInner() }];
      case 'link':
        return [{ kind: 'link', href: (token as Tokens.Link).href, inlines: readInner() }];
      case 'br':
        return [{ kind: 'break' }];
      default:
        reading.problem(line, `a guide has no ${token.type}: ${quoteFirstLine(token.raw)}`);
        return [];
    }
  });
}

/** The part of a text that a problem quotes. */
const quoteFirstLine = (text: string): string => (text.trim().split('\n')[0] ?? '').slice(0, 60);
