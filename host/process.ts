import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { open } from 'node:fs/promises';
import type { Duplex } from 'node:stream';
import type { Options } from 'execa';
import { duplexOf } from './duplex.ts';
import { LabError, messageOf } from './errors.ts';
import { signalGroup, watchOver } from './process-group.ts';

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
  /** Per stream, default 64 MiB. Beyond it the command is ended: LabError. */
  maxBytes?: number;
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

/** Nothing that we run on this machine has so much to say. */
const MAX_BYTES = 64 * 1024 * 1024;

/**
 * Runs argv without a shell and returns its text. Output is bounded.
 * Throws LabError when it can't start, fails (unless allowFailure) or runs out of time; rethrows the abort reason. A
 * command that is stopped is ended with all its process group: SIGTERM, and SIGKILL for what is left 2 s later.
 */
export async function run(argv: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  const [file, ...args] = argv;
  if (file === undefined) throw new TypeError('run: empty argv');
  // Loaded at first use: it takes longer than many commands of ours.
  const { execa } = await import('execa');
  options.signal?.throwIfAborted();
  const child = execa(file, args, settings(options));
  const watch = watchOver(child.nodeChildProcess, { ...options, maxBytes: options.maxBytes ?? MAX_BYTES });
  const { onLine = () => undefined } = options;
  const streams = options.onLine ? (['stdout', 'stderr'] as const) : [];
  const told = streams.map((from) => followLines(child.iterable({ from }), onLine));
  const result = await child.finally(watch.release);
  await Promise.all(told);
  options.signal?.throwIfAborted();
  const answer: RunResult = {
    code: result.exitCode ?? null,
    stdout: watch.text('stdout'),
    stderr: watch.text('stderr'),
  };
  const stopped = watch.stopped();
  const answered = !result.failed || (options.allowFailure === true && result.exitCode !== undefined);
  if (stopped === undefined && answered) return answer;
  throw new LabError({
    what: stopped ?? whyFailed(file, result, answer.stderr),
    where: argv.join(' ').slice(0, 300),
    next: options.next ?? defaultNext,
    cause: new Error(answer.stderr.slice(-4000)),
  });
}

interface Failure {
  code?: string | undefined;
  shortMessage?: string | undefined;
  originalMessage?: string | undefined;
}

function whyFailed(file: string, result: Failure, stderr: string): string {
  if (result.code === 'ENOENT' && result.originalMessage === `spawn ${file} ENOENT`) return `${file} is not installed`;
  return `${file} failed: ${lastLine(stderr) || messageOf(result.originalMessage || result.shortMessage)}`;
}

function settings(options: RunOptions): Options & { reject: false } {
  return {
    reject: false,
    // Read by watchOver: execa would put all of it, escaped, into an error's message.
    buffer: false,
    // A process group of its own: all of it can be ended, and the terminal's Ctrl-C does not reach it before us.
    detached: true,
    cleanup: false,
    ...(options.input === undefined ? { stdin: 'ignore' } : { input: options.input }),
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...(options.env === undefined ? {} : { env: options.env }),
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

/**
 * Shows text by a pager, a command line for sh(1), on our own terminal; returns when the reader has closed it. False: it
 * could not be started. Ctrl-C is the pager's meanwhile.
 */
export async function pageThrough(pager: string, text: string): Promise<boolean> {
  const ignore = (): void => undefined;
  process.on('SIGINT', ignore);
  try {
    // less(1) lets colours through also where PAGER says no more than its name, and UTF-8 without a locale that says so.
    const { LESS, LESSCHARSET } = process.env;
    const env = { ...process.env, LESS: LESS || 'R', LESSCHARSET: LESSCHARSET || 'utf-8' };
    const child = spawn('/bin/sh', ['-c', pager], { stdio: ['pipe', 'inherit', 'inherit'], env });
    // Closed before its end: the reader has seen enough.
    child.stdin.on('error', ignore);
    child.stdin.end(text);
    const [code] = (await once(child, 'close')) as [number | null];
    return code !== 126 && code !== 127;
  } finally {
    process.off('SIGINT', ignore);
  }
}

/** A process whose stdin and stdout are one byte stream: what is written goes to it, what it says is read. */
export interface PipedProcess {
  stream: Duplex;
  /** The end of what it has written to stderr, at most 4 KiB; waits for the process to end, half a second at most. */
  lastWords: () => Promise<string>;
}

const LAST_WORDS = 4096;
const LAST_WORDS_MS = 500;

/**
 * Starts argv in a session of its own, so that the terminal's Ctrl-C does not reach it. It is expected to end with
 * its stdin, which our death closes; when the stream is closed it is sent SIGTERM as well. The stream fails when the process can't be started.
 */
export function openPiped(argv: readonly string[]): PipedProcess {
  const [file, ...args] = argv;
  if (file === undefined) throw new TypeError('openPiped: empty argv');
  const child = spawn(file, args, { detached: true, stdio: 'pipe' });
  const stream = duplexOf(child.stdin, child.stdout);
  let words = Buffer.alloc(0);
  child.stderr.on('data', (chunk: Buffer) => (words = Buffer.concat([words, chunk]).subarray(-LAST_WORDS)));
  child.once('error', (error) => stream.destroy(error));
  const silence = once(child.stderr, 'close');
  stream.once('close', () => {
    if (child.pid !== undefined) signalGroup(child.pid, 'SIGTERM');
    // Nothing of it may keep us alive from here on.
    child.unref();
  });
  const lastWords = async (): Promise<string> => {
    const timer = setTimeout(() => child.stderr.destroy(), LAST_WORDS_MS);
    await silence;
    clearTimeout(timer);
    return words.toString();
  };
  return { stream, lastWords };
}
