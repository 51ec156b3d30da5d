import { type Block, compareOutput, type SeenLine } from '@handwired/labs';
import type { BlockEnd } from './root-shell.ts';

/** The blocks of a guide that a learner types. */
export type Typed = Extract<Block, { kind: 'command' | 'step' }>;

export const isTyped = (block: Block): block is Typed => block.kind === 'command' || block.kind === 'step';

export const commandsOf = (block: Typed): string =>
  block.kind === 'step' ? block.step.commands.join('\n') : block.text;

/** What is wrong with a block's end, with expected and actual output; undefined when it is right. */
export function judge(block: Typed, end: BlockEnd): { what: string; lines: SeenLine[] } | undefined {
  const came = end.output.split('\n').map((text): SeenLine => ({ mark: ' ', text }));
  if (end.status === undefined) return { what: end.trouble ?? 'it ended without a status', lines: came };
  const fails = block.kind === 'command' && block.ends === 'fails';
  if (fails && end.status === 0) return { what: 'it must fail, and did not', lines: came };
  if (!fails && end.failed !== 0) return { what: `a command failed with status ${end.failed}`, lines: came };
  const lines = compareOutput(wantedOf(block) ?? '...', end.output);
  if (!lines) return undefined;
  return {
    what: block.see === undefined ? 'it printed something, and has no see fence' : 'not what one should see',
    lines,
  };
}

/** Commands on the lab host of which a guide shows no output must print none, unless they are quiet. */
function wantedOf(block: Typed): string | undefined {
  if (block.see !== undefined || block.kind === 'step') return block.see;
  return block.where === 'lab host' && !block.quiet ? '' : undefined;
}
