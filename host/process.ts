import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { open } from 'node:fs/promises';
import { execa, type Options } from 'execa';
import { LabError, messageOf } from './errors.ts';

/** The one place that starts processes on this machine and waits for them. */
export interface RunOptions {
  cwd?: string;
  /** Added to this process's environment. */
  env?: Record<string, string | undefined>;
  input?: string | Uint8Array;
  timeoutMs?: number;
  signal?: AbortSignal;
  /** Called with each line of stdout and stderr as it comes: for progress notes. */
  onLine?: (line: string) => void;
  /** A failed command is an answer, not an error. */
  allowFailure?: boolean;
  /** What the user should type when this command fails. */
  next?: string;
}

export interface RunResult {
  /** null: ended by a signal, or never started. */
  code: number | null;
  stdout: string;
  stderr: string;
}

/** A last resort only; callers that can fail for a known reason pass `next`. */
const defaultNext = 'lab doctor';

/**
 * Runs argv without a shell and returns its text. Output is bounded (64 MiB a stream).
 * Throws LabError when it can't start, fails (unless allowFailure) or runs out of time; rethrows the abort reason.
 */
export async function run(argv: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  const [file, ...args] = argv;
  if (file === undefined) throw new TypeError('run: empty argv');
  const child = execa(file, args, settings(options));
  if (options.onLine) void followLines(child.iterable({ from: 'all' }), options.onLine);
  const result = await child;
  options.signal?.throwIfAborted();
  const answer: RunResult = {
    code: result.exitCode ?? null,
    stdout: String(result.stdout ?? ''),
    stderr: String(result.stderr ?? ''),
  };
  if (result.failed && !(options.allowFailure === true && result.exitCode !== undefined)) {
    throw new LabError({
      what: `${file} failed: ${lastLine(answer.stderr) || messageOf(result.shortMessage)}`,
      where: argv.join(' ').slice(0, 300),
      next: options.next ?? defaultNext,
      cause: result,
    });
  }
  return answer;
}

function settings(options: RunOptions): Options & { all: true; reject: false } {
  return {
    all: true,
    reject: false,
    maxBuffer: 64 * 1024 * 1024,
    stripFinalNewline: false,
    forceKillAfterDelay: 2000,
    ...(options.input === undefined ? { stdin: 'ignore' } : { input: options.input }),
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...(options.env === undefined ? {} : { env: options.env }),
    ...(options.timeoutMs === undefined ? {} : { timeout: options.timeoutMs }),
    ...(options.signal === undefined ? {} : { cancelSignal: options.signal }),
  };
}

async function followLines(lines: AsyncIterable<unknown>, onLine: (line: string) => void): Promise<void> {
  try {
    for await (const line of lines) onLine(String(line));
  } catch {
    // The result says what went wrong; this only mirrors text.
  }
}

function lastLine(text: string): string {
  return text.trimEnd().split('\n').at(-1)?.slice(0, 500) ?? '';
}

/**
 * Starts a process that outlives us: own session (setsid), stdin closed, stdout and stderr appended to `logFile`.
 * Returns its pid; what it becomes by exec keeps that pid.
 */
export async function startDetached(argv: readonly string[], logFile: string): Promise<number> {
  const [file, ...args] = argv;
  if (file === undefined) throw new TypeError('startDetached: empty argv');
  const log = await open(logFile, 'a', 0o600);
  try {
    const child = spawn(file, args, { detached: true, stdio: ['ignore', log.fd, log.fd] });
    child.unref();
    await once(child, 'spawn').catch((error: unknown) => {
      throw new LabError({ what: `${file} cannot be started: ${messageOf(error)}`, next: defaultNext, cause: error });
    });
    return child.pid ?? 0;
  } finally {
    await log.close();
  }
}
