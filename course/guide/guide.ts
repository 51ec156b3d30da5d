import type { ChapterInfo } from '@handwired/host';

/** A chapter's guide with one plan's values in it: what the terminal, the site and the guides' tests are made from. */
export interface Guide {
  chapter: ChapterInfo;
  /** In the order of `headings`. */
  sections: readonly Section[];
}

/** The headings of every guide, in this order, by their section's id. */
export const headings = {
  able: 'What you will be able to do',
  idea: 'The idea',
  steps: 'Steps',
  docker: 'What Docker does',
  wrong: 'What goes wrong',
  exercise: 'Exercise',
  ask: 'Ask yourself',
} as const;

/** The id of a section. */
export type SectionId = keyof typeof headings;

/** One section of a guide. */
export interface Section {
  id: SectionId;
  title: string;
  blocks: readonly Block[];
}

/** Text inside a line, as CommonMark has it. */
export type Inline =
  | { kind: 'text' | 'code'; text: string }
  | { kind: 'strong' | 'emphasis'; inlines: readonly Inline[] }
  | { kind: 'link'; href: string; inlines: readonly Inline[] }
  | { kind: 'break' };

/** A piece of a guide. */
export type Block =
  | { kind: 'text' | 'heading'; inlines: readonly Inline[] }
  | { kind: 'list'; ordered: boolean; start: number; items: readonly (readonly Block[])[] }
  | { kind: 'table'; head: readonly (readonly Inline[])[]; rows: readonly (readonly (readonly Inline[])[])[] }
  | { kind: 'quote'; blocks: readonly Block[] }
  /** Shown as it stands, never run. */
  | { kind: 'code'; language: string; text: string }
  | CommandBlock
  | StepBlock
  /** A diagram made from the plan, by its name. */
  | { kind: 'picture'; name: string }
  /** What Docker does instead of each step. */
  | { kind: 'docker'; steps: readonly Pick<GuideStep, 'id' | 'title' | 'docker'>[] };

/** Commands that are typed, and what they print. */
export interface CommandBlock {
  kind: 'command';
  /** `lab host`: typed into its root shell. `own machine`: typed into the other window, where `lab` runs. */
  where: 'lab host' | 'own machine';
  text: string;
  /** `fails`: the last command must exit with a status other than 0. */
  ends: 'well' | 'fails';
  /** The tests do not compare its output. */
  quiet: boolean;
  /** What one should see, stdout and stderr; see `see.ts` for its two wildcards. Absent: nothing, unless it is quiet. */
  see?: string;
  /** Line in guide.md. */
  line: number;
}

/** A step of the chapter's build: its texts and commands are the chapter's own data. */
interface StepBlock {
  kind: 'step';
  step: GuideStep;
  see?: string;
  line: number;
}

/** A step of the chapter as a guide shows it. */
export interface GuideStep {
  id: string;
  title: string;
  why: string;
  /** As a learner types them, one or more lines each. */
  commands: readonly string[];
  docker: { does: string; source: string };
}

/** Every block, those inside lists and quotes too, in the order in which they are read. */
export function allBlocks(blocks: readonly Block[]): Block[] {
  return blocks.flatMap((block) => {
    if (block.kind === 'list') return [block, ...block.items.flatMap(allBlocks)];
    if (block.kind === 'quote') return [block, ...allBlocks(block.blocks)];
    return [block];
  });
}

/** The text alone, without emphasis and links. */
export const toPlainText = (inlines: readonly Inline[]): string =>
  inlines
    .map((inline) => {
      if (inline.kind === 'break') return ' ';
      return 'text' in inline ? inline.text : toPlainText(inline.inlines);
    })
    .join('');
