/**
 * Runs the steps of chapters on a lab host, each in one round trip. Also lists what they would run, without a lab
 * host.
 */
import {
  type ChapterId,
  LabError,
  parseScriptError,
  type Plan,
  type Session,
  type Shell,
  type ShellOutput,
  createShell,
  describeTrouble,
} from '@handwired/host';
import { type Chapter, planCommands, type Step } from './chapter.ts';
import type { Command } from './commands.ts';

/** Whether the steps of chapters are built or taken back. */
export type Direction = 'build' | 'undo';

/** A step's texts with its commands for one plan: what guides, pictures and the exported script are made from. */
export interface RecordedStep extends Omit<Step, Direction> {
  chapter: ChapterId;
  commands: readonly Command[];
}

/**
 * What `build` or `undo` of these chapters runs, without a lab host: every step of each, for undo in the reverse order. A
 * step that has nothing to take back is there without commands.
 */
export function recordSteps(direction: Direction, plan: Plan, chapters: readonly Chapter[]): RecordedStep[] {
  return chapters.flatMap(({ id, steps }) =>
    (direction === 'build' ? steps : steps.toReversed()).map(({ build, undo, ...texts }) => {
      const commands = planCommands(direction === 'build' ? build : undo, plan);
      return { ...texts, chapter: id, commands };
    }),
  );
}

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
  /** Wall clock, the round trip included. */
  ms: number;
  /** What the commands printed. From a lab host: escape it when printing. */
  output: string;
}

/** Which chapters are run; `onStep` is called after each step. */
export interface RunOptions {
  /** In the order in which they are to run: the course's for build, the reverse for undo. */
  chapters: readonly Chapter[];
  onStep?: (event: StepEvent) => void;
  signal?: AbortSignal;
}

/** The longest step starts a Docker, which takes an emulated machine that others share a minute. */
const STEP_MS = 240_000;

/**
 * Builds chapters on a lab host, or takes them back. What is in the wanted state already stays as it is; undo takes away
 * what build made or would have made, gives back what build had noted, and nothing else. It can be cut off at any moment
 * and called again. Throws LabError with the step that failed; rethrows the abort reason.
 */
export async function runChapters(
  direction: Direction,
  session: Session,
  plan: Plan,
  { chapters, onStep, signal }: RunOptions,
): Promise<void> {
  const shell = createShell(session, { timeoutMs: STEP_MS, ...(signal ? { signal } : {}) });
  for (const chapter of chapters) {
    for (const step of recordSteps(direction, plan, [chapter])) {
      signal?.throwIfAborted();
      if (step.commands.length > 0) await runStep({ direction, shell, chapter, step }, { onStep, signal });
    }
  }
}

interface Job {
  direction: Direction;
  shell: Shell;
  chapter: Chapter;
  step: RecordedStep;
}

interface Watch {
  onStep: RunOptions['onStep'] | undefined;
  signal: AbortSignal | undefined;
}

async function runStep({ direction, shell, chapter, step }: Job, { onStep, signal }: Watch): Promise<void> {
  const { commands } = step;
  const start = performance.now();
  const raw = shell({ quote: (text) => text, input: '', nothrow: true });
  const result = await raw`${renderGuardedScript(commands)}`;
  const failed = result.exitCode !== 0;
  // A step that was cut off has not failed.
  if (failed) signal?.throwIfAborted();
  const ran = findRunCommands(commands, result.stdout);
  onStep?.({
    chapter: chapter.id,
    step: step.id,
    title: step.title,
    why: step.why,
    command: (ran.length > 0 ? ran : commands).map(({ run }) => run.cmd).join('\n'),
    status: failed ? 'failed' : ran.length > 0 ? 'run' : 'already',
    ms: performance.now() - start,
    output: result.stderr,
  });
  if (failed) throw describeTrouble(result) ?? createStepError(direction, chapter, step, result);
}

type Ended = Pick<ShellOutput, 'stderr' | 'exitCode' | 'signal'>;

function createStepError(
  direction: Direction,
  { id, number }: Chapter,
  { title }: RecordedStep,
  ended: Ended,
): LabError {
  const { what, next } = parseScriptError(ended.stderr);
  return new LabError({
    what: what || `a command ended with ${ended.signal ?? `exit status ${ended.exitCode}`}`,
    where: `${direction} of chapter ${number} ${id}: ${title}`,
    next: next ?? (direction === 'build' ? `lab undo --chapter ${id}` : 'lab reset'),
  });
}

/** How long a change may take to show after its command has returned: `tries` of `pause` seconds, 5 s. */
const wait = { tries: 100, pause: 0.05 };

/**
 * The first lines of a guarded script. Only one such script runs at a time: /run itself is the lock (flock(1)), so there
 * is no lock file, and what a command leaves running does not hold it.
 */
const opening = `exec 9< /run
flock -w 30 9 || { echo 'another build or undo is still at work on this lab host' >&2; exit 75; }`;

/**
 * Commands for one round trip, as a script of POSIX sh: each command runs only if its state is not there yet, and the
 * script ends when it is. So it can be cut off anywhere and run again. The script writes one line to stdout for each
 * command that ran; what the commands print goes to stderr.
 */
export function renderGuardedScript(commands: readonly Command[]): string {
  return [opening, ...commands.map(renderGuardedCommand)].join('\n');
}

/** Finds the commands that ran, by what their guarded script wrote to stdout. Empty when there was nothing to do. */
function findRunCommands(commands: readonly Command[], stdout: string): Command[] {
  const lines = new Set(stdout.split('\n'));
  return commands.filter((_command, i) => lines.has(`ran ${i}`));
}

function renderGuardedCommand(command: Command, i: number): string {
  const { done, before, when, after } = command;
  if (!done) return renderRun(command, i);
  return joinLines(
    `if ! { ${done.cmd}; } > /dev/null 2>&1; then`,
    before && `{ ${before.cmd}; } || exit`,
    when ? `if { ${when.cmd}; } > /dev/null 2>&1; then\n${renderRun(command, i)}\nfi` : renderRun(command, i),
    after && `{ ${after.cmd}; } || exit`,
    renderWait(command, done.cmd),
    'fi',
  );
}

/** Runs one command. The lock's descriptor is closed for it, so that programs it starts do not hold the lock. */
const renderRun = ({ run }: Command, i: number): string => `echo ran ${i}\n( ${run.cmd}\n) 9<&- >&2 || exit`;

function renderWait({ run, repeat }: Command, done: string): string {
  return joinLines(
    'n=0',
    `until { ${done}; } > /dev/null 2>&1; do`,
    `n=$((n + 1)); [ $n -le ${wait.tries} ] || { echo 'it had no effect' >&2; exit 75; }`,
    repeat ? `( ${run.cmd}\n) 9<&- >&2 || exit` : `sleep ${wait.pause}`,
    'done',
  );
}

const joinLines = (...some: (string | undefined)[]): string => some.filter((line) => line !== undefined).join('\n');
