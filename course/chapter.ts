import { type ChapterId, type ChapterInfo, EXIT, LabError, type Plan } from '@handwired/host';
import type { Command } from './commands.ts';

/** What a learner reads about a step. */
export interface StepText {
  /** A sentence. */
  title: string;
  /** Why it is needed: what would not work, or would be unsafe, without it. */
  why: string;
  docker: {
    /** What Docker does in this place. */
    does: string;
    /** File and function in github.com/moby/moby, read at commit b985e2313a. */
    source: string;
  };
}

/** The commands of a step for one plan: one, or several in their order. */
type StepCommands = (plan: Plan) => Command | readonly Command[];

/** The commands of a step for one plan as a list; none where the step has nothing to do in that direction. */
export const planCommands = (commands: StepCommands | undefined, plan: Plan): Command[] =>
  [commands?.(plan) ?? []].flat();

/** One step of a chapter: its texts and its commands. A lab host runs it in one round trip. */
export interface Step extends StepText {
  /** Unique in its chapter; `::step{ID}` in guide.md shows it. */
  id: string;
  /** What it makes, if that has a place on the one screen that holds the course; in a few words each. */
  object?: {
    name: string;
    for: string;
    /** What it is called where Docker makes it. */
    docker: string;
  };
  build: StepCommands;
  /** Absent: there is nothing to take back, or it goes with what another step takes back. */
  undo?: StepCommands;
}

/** One unit of the course, with its place in it. Its guide.md, checks.ts and answers.md stand beside its chapter.ts. */
export interface Chapter extends ChapterInfo {
  /** In the order of the build; undo takes them in the reverse. */
  steps: readonly Step[];
  /** The step of chapter cleanup that takes this chapter back. Every chapter with steps has it. */
  cleanup?: StepText;
}

/** What labs/NN-id/chapter.ts holds: the name of its folder is the chapter's number and id. */
export type ChapterContent = Omit<Chapter, 'id' | 'number'>;

/** The chapters in their order, and where their folders are. */
export interface Course {
  chapters: readonly Chapter[];
  /** Holds a folder NUMBER-ID for each chapter; ends with a slash. */
  folder: URL;
}

/** The chapter with this id. Throws LabError (64) when the course has none. */
export function findChapter({ chapters }: Pick<Course, 'chapters'>, id: ChapterId): Chapter {
  const chapter = chapters.find((one) => one.id === id);
  if (chapter) return chapter;
  throw new LabError({ what: `there is no chapter ${id}`, next: 'lab build --help', exit: EXIT.usage });
}
