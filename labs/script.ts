import type { ChapterInfo, Plan } from '@handwired/host';

/** A command line for POSIX sh, its values quoted. zx's halted ProcessPromise is one, and so is what `plain` makes. */
export interface Sh {
  readonly cmd: string;
}

/** zx's `$` as scripts use it: it only writes the command down; `step` runs it. Arrays become several words. */
export type Template = (pieces: TemplateStringsArray, ...values: (string | number | readonly string[])[]) => Sh;

/** One command of a step and what makes it safe to be cut off and repeated. Only `run` is shown to a learner. */
export interface Command {
  /** The plain command, as a learner would type it. */
  run: Sh;
  /**
   * A test of state: true when there is nothing (left) to do. It is asked before `run`, and again after it until it is
   * true or the deadline passes, for what the kernel does later. Absent: the command changes nothing and always runs.
   */
  done?: Sh;
  /** Asked when not `done`: false skips `run`, for what somebody else has taken away meanwhile. */
  when?: Sh;
  /** Written down on the lab host before the change, so that undo can give it back. */
  before?: Sh;
  /** Forgotten on the lab host after the change was taken back. */
  after?: Sh;
  /** `run` takes away one of several: repeated until `done`. */
  repeat?: true;
}

/** What a learner reads about a step; its commands are in build.ts and undo.ts under the same id. */
export interface StepText<Id extends string = string> {
  id: Id;
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
  /** What it makes, if that has a place on the one screen that holds the course; in a few words each. */
  object?: {
    name: string;
    for: string;
    /** What it is called where Docker makes it. */
    docker: string;
  };
}

export interface ChapterData<Id extends string = string> extends ChapterInfo {
  steps: readonly StepText<Id>[];
}

/** Keeps the step ids of a chapter as a type, so that its scripts can't name a step that has no text. */
export const chapterData = <const Id extends string>(data: ChapterData<Id>): ChapterData<Id> => data;

/** What a script gets: `$` to write commands, the plan's values, and `step` to run (or record) them. */
export interface Scene<Id extends string = string> {
  $: Template;
  plan: Plan;
  readonly step: (id: Id, ...commands: readonly Command[]) => Promise<void>;
}

/** A chapter's build.ts or undo.ts. */
export type Script<Id extends string = string> = (scene: Scene<Id>) => Promise<void>;

/** The script type of a chapter's data. */
export type ScriptOf<Data> = Data extends ChapterData<infer Id> ? Script<Id> : never;

/** One unit of the course. */
export interface Chapter extends ChapterData {
  build: Script;
  undo: Script;
}
