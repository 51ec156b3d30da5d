import { Marked, type Token, type Tokens } from 'marked';
import type { Block, CommandBlock } from './guide.ts';
import { firstLine, inlinesOf, type Making } from './inlines.ts';

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

/** A heading of the second degree and what stands below it; what stands before the first has no title. */
export interface Part {
  title: string | undefined;
  line: number;
  blocks: Block[];
}

/** Reads guide text: CommonMark with tables, `::` lines and command fences. */
export function readParts(text: string, making: Making): Part[] {
  const parts: Part[] = [];
  let line = 1;
  let tokens: Placed[] = [];
  let part: Part = { title: undefined, line, blocks: [] };
  const close = (): void => {
    part.blocks = blocksOf(tokens, making);
    if (part.title !== undefined || part.blocks.length > 0) parts.push(part);
    tokens = [];
  };
  for (const token of markdown.lexer(text)) {
    if (token.type === 'heading' && (token as Tokens.Heading).depth <= 2) {
      close();
      const heading = token as Tokens.Heading;
      if (heading.depth === 1) making.problem(line, 'the title comes from chapter.ts: a guide begins with ##');
      part = { title: heading.text, line, blocks: [] };
    } else tokens.push({ token, line });
    line += token.raw.split('\n').length - 1;
  }
  close();
  return parts;
}

/** A token with the line that it begins on; inside a list, the list's own. */
interface Placed {
  token: Token;
  line: number;
}

function blocksOf(placed: readonly Placed[], making: Making): Block[] {
  const blocks: Block[] = [];
  for (const { token, line } of placed.filter((one) => one.token.type !== 'space' && one.token.type !== 'def')) {
    if (token.type === 'code' && languageOf(token as Tokens.Code)[0] === 'see') {
      addSee(blocks.at(-1), token as Tokens.Code, line, making);
      continue;
    }
    const block = blockOf(token, line, making);
    if (block) blocks.push(block);
  }
  return blocks;
}

const languageOf = ({ lang }: Tokens.Code): string[] => (lang ?? '').trim().split(/\s+/);

function addSee(before: Block | undefined, token: Tokens.Code, line: number, making: Making): void {
  checkFence(token, line, making);
  const wrong = seeTrouble(before);
  if (wrong !== undefined) making.problem(line, wrong);
  else if (before?.kind === 'command' || before?.kind === 'step') before.see = token.text;
}

function seeTrouble(before: Block | undefined): string | undefined {
  if (before?.kind !== 'command' && before?.kind !== 'step') return 'a see fence stands right after sh, lab or ::step';
  if (before.see !== undefined) return 'a second see fence for the same commands';
  const quiet = before.kind === 'command' && before.quiet;
  return quiet ? 'a see fence after quiet commands, which are not compared' : undefined;
}

function blockOf(token: Token, line: number, making: Making): Block | undefined {
  const inside = (tokens: readonly Token[]): Block[] =>
    blocksOf(
      tokens.map((each) => ({ token: each, line })),
      making,
    );
  switch (token.type) {
    case 'paragraph':
    case 'text': {
      const { text, tokens } = token as Tokens.Paragraph;
      if (/^::/m.test(text)) making.problem(line, `not a :: line of ours: ${firstLine(text)}`);
      return { kind: 'text', inlines: inlinesOf(tokens, line, making) };
    }
    case 'heading':
      return { kind: 'heading', inlines: inlinesOf((token as Tokens.Heading).tokens, line, making) };
    case 'list': {
      const { ordered, start, items } = token as Tokens.List;
      return {
        kind: 'list',
        ordered,
        start: start === '' ? 1 : start,
        items: items.map((item) => inside(item.tokens)),
      };
    }
    case 'table': {
      const { header, rows } = token as Tokens.Table;
      const cells = (row: readonly Tokens.TableCell[]) => row.map(({ tokens }) => inlinesOf(tokens, line, making));
      return { kind: 'table', head: cells(header), rows: rows.map(cells) };
    }
    case 'blockquote':
      return { kind: 'quote', blocks: inside((token as Tokens.Blockquote).tokens) };
    case 'code':
      return codeOf(token as Tokens.Code, line, making);
    case 'directive':
      return directiveOf(token as Directive, line, making);
    default: {
      making.problem(line, `a guide has no ${token.type}: ${firstLine(token.raw)}`);
      return undefined;
    }
  }
}

function checkFence(token: Tokens.Code, line: number, { problem }: Making): void {
  if (token.codeBlockStyle === 'indented') problem(line, 'text that is indented by four is code: use a fence');
  else if (!/\n[ \t]*(`{3,}|~{3,})\s*$/.test(token.raw))
    problem(line, `a fence that is not closed: ${firstLine(token.raw)}`);
}

/** Languages that look like ours, but would only be shown. */
const almost = ['bash', 'shell', 'console', 'terminal'];

function codeOf(token: Tokens.Code, line: number, making: Making): Block | undefined {
  checkFence(token, line, making);
  const [language = '', ...flags] = languageOf(token);
  if (almost.includes(language)) making.problem(line, `commands stand in a fence of sh or lab, not ${language}`);
  if (language !== 'sh' && language !== 'lab') return { kind: 'code', language, text: token.text };
  const unknown = flags.filter((flag) => flag !== 'fails' && flag !== 'quiet');
  if (unknown.length > 0) making.problem(line, `${language} takes fails and quiet, not ${unknown.join(' ')}`);
  if (token.text.trim() === '') making.problem(line, `${language} without a command`);
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

function directiveOf({ word, id, raw }: Directive, line: number, making: Making): Block | undefined {
  const { problem, steps } = making;
  if (word === 'picture') {
    if (!making.isPicture(id)) problem(line, `there is no picture '${id}'`);
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
  else problem(line, `not a :: line of ours: ${firstLine(raw)}`);
  return undefined;
}
