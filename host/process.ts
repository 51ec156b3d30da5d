import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { open } from 'node:fs/promises';
import { Duplex, type Readable, type Writable } from 'node:stream';
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

/** A process whose stdin and stdout are one byte stream: what is written goes to it, what it says is read. */
export interface PipedProcess {
  stream: Duplex;
  /** The end of what it has written to stderr so far, at most 4 KiB. */
  lastWords(): string;
}

const LAST_WORDS = 4096;

/**
 * Starts argv in a session of its own, so that the terminal's Ctrl-C does not reach it. It is expected to end with
 * its stdin: destroying the stream, or our death, closes that. The stream fails when the process can't be started.
 */
export function openPiped(argv: readonly string[]): PipedProcess {
  const [file, ...args] = argv;
  if (file === undefined) throw new TypeError('openPiped: empty argv');
  const child = spawn(file, args, { detached: true, stdio: 'pipe' });
  const stream = duplexOf(child.stdin, child.stdout);
  let words = Buffer.alloc(0);
  child.stderr.on('data', (chunk: Buffer) => (words = Buffer.concat([words, chunk]).subarray(-LAST_WORDS)));
  child.once('error', (error) => stream.destroy(error));
  // Nothing of it may keep us alive once the stream is closed.
  stream.once('close', () => {
    child.stderr.destroy();
    child.unref();
  });
  return { stream, lastWords: () => words.toString() };
}

function duplexOf(to: Writable, from: Readable): Duplex {
  const stream = new Duplex({
    allowHalfOpen: false,
    read: () => void from.resume(),
    write: (chunk: Buffer, _encoding, done) => void to.write(chunk, done),
    final: (done) => void to.end(done),
    destroy: (error, done) => {
      to.destroy();
      from.destroy();
      done(error);
    },
  });
  from.on('data', (chunk: Buffer) => {
    if (!stream.push(chunk)) from.pause();
  });
  from.on('end', () => stream.push(null)).on('error', (error) => stream.destroy(error));
  to.on('error', (error) => stream.destroy(error));
  return stream;
}
