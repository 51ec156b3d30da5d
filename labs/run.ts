import {
  type ChapterId,
  EXIT,
  LabError,
  parseScriptError,
  type Plan,
  type Session,
  type Shell,
  type ShellOutput,
  shellOf,
  stopIfAborted,
  troubleOf,
} from '@handwired/host';
import { chapters } from './chapters.ts';
import { guarded, ranOf } from './guarded.ts';
import type { Chapter, Command, Scene, StepText } from './script.ts';

/** One step, after it has ended. */
export interface StepEvent {
  chapter: ChapterId;
  /** The step's id in its chapter. */
  step: string;
  title: string;
  why: string;
  /** The plain commands that ran, one a line, as a learner would type them; where none did: those that would have. */
  command: string;
  /** `already`: the lab host was in the wanted state, nothing was run. */
  status: 'run' | 'already' | 'failed';
  /** Wall clock, with the way there and back. */
  ms: number;
  /** What the commands printed. From a lab host: escape it when printing. */
  output: string;
}

export interface RunOptions {
  /** In the order in which they are to run: the course's for build, the reverse for undo. */
  chapters: readonly ChapterId[];
  onStep?: (event: StepEvent) => void;
  signal?: AbortSignal;
}

/**
 * Builds chapters on a lab host, a round trip a step. What is there already stays as it is. Can be cut off at any moment,
 * and called again. Throws LabError with the step that failed; rethrows the abort reason.
 */
export const build = (session: Session, plan: Plan, options: RunOptions): Promise<void> =>
  runAll('build', session, plan, options);

/**
 * Takes away what `build` of these chapters made or would have made, and gives back what it had written down; nothing
 * else. Returns when it is gone. Can be cut off at any moment, and called again, also on what was never built.
 */
export const undo = (session: Session, plan: Plan, options: RunOptions): Promise<void> =>
  runAll('undo', session, plan, options);

/** The longest step starts a Docker, which takes an emulated machine that others share a minute. */
const STEP_MS = 240_000;

export type Way = 'build' | 'undo';

async function runAll(way: Way, session: Session, plan: Plan, options: RunOptions): Promise<void> {
  const shell = shellOf(session, { timeoutMs: STEP_MS, ...(options.signal ? { signal: options.signal } : {}) });
  for (const id of options.chapters) {
    const chapter = chapterOf(id);
    await chapter[way](
      sceneOf(shell, plan, async (step, commands) => {
        stopIfAborted(options.signal);
        const job = { way, shell, chapter, step: textOf(chapter, step), commands };
        await runStep(job, options);
      }),
    );
  }
}

/** The chapter with this id. */
export function chapterOf(id: ChapterId): Chapter {
  const chapter = chapters.find((one) => one.id === id);
  if (chapter) return chapter;
  throw new LabError({ what: `there is no chapter ${id}`, next: 'lab build --help', exit: EXIT.usage });
}

/** `$` only writes commands down (zx's `halt`); they run as one guarded script a step. */
export const sceneOf = (
  shell: Shell,
  plan: Plan,
  onStep: (id: string, commands: readonly Command[]) => Promise<void>,
): Scene => ({ $: shell({ halt: true }), plan, step: (id, ...commands) => onStep(id, commands) });

export function textOf({ id, steps }: Chapter, step: string): StepText {
  const text = steps.find((one) => one.id === step);
  if (text) return text;
  throw new TypeError(`chapter ${id} has no step ${step}`);
}

const plainOf = (commands: readonly Command[]): string => commands.map(({ run }) => run.cmd).join('\n');

interface Job {
  way: Way;
  shell: Shell;
  chapter: Chapter;
  step: StepText;
  commands: readonly Command[];
}

type Watch = Pick<RunOptions, 'onStep' | 'signal'>;

async function runStep({ way, shell, chapter, step, commands }: Job, { onStep, signal }: Watch): Promise<void> {
  if (commands.length === 0) return;
  const start = performance.now();
  const raw = shell({ quote: (text) => text, input: '', nothrow: true });
  const result = await raw`${guarded(commands)}`;
  const failed = result.exitCode !== 0;
  // A step that was cut off has not failed.
  if (failed) stopIfAborted(signal);
  const ran = ranOf(commands, result.stdout);
  onStep?.({
    chapter: chapter.id,
    step: step.id,
    title: step.title,
    why: step.why,
    command: plainOf(ran.length > 0 ? ran : commands),
    status: failed ? 'failed' : ran.length > 0 ? 'run' : 'already',
    ms: performance.now() - start,
    output: result.stderr,
  });
  if (failed) throw troubleOf(result) ?? failure(way, chapter, step, result);
}

type Ended = Pick<ShellOutput, 'stderr' | 'exitCode' | 'signal'>;

function failure(way: Way, { id, number }: Chapter, { title }: StepText, ended: Ended): LabError {
  const { what, next } = parseScriptError(ended.stderr);
  return new LabError({
    what: what || `a command ended with ${ended.signal ?? `exit status ${ended.exitCode}`}`,
    where: `${way} of chapter ${number} ${id}: ${title}`,
    next: next ?? (way === 'build' ? `lab undo --chapter ${id}` : 'lab reset'),
  });
}
