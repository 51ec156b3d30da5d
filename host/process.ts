import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { open } from 'node:fs/promises';
import { Duplex, type Readable, type Writable } from 'node:stream';
import type { Options } from 'execa';
import { LabError, readMessage } from './errors.ts';

/** Words that POSIX sh or bash reads as grammar where a command's name may stand. */
const reserved = new Set(
  'case coproc do done elif else esac fi for function if in select then time until while'.split(' '),
);

/** Characters that mean nothing to a shell anywhere in a word. */
const plain = /^[\w@%+=:,./-]+$/;

/** `NAME=`: in front of a command, it is an assignment. */
const assignment = /^[A-Za-z_]\w*\+?=/;

/**
 * Quotes one word for POSIX sh, dash included. The quote of zx emits `$'..'`, which dash does not read.
 * Throws TypeError on a NUL, which no argument can hold (execve(2)).
 */
export function quote(word: string): string {
  if (word.includes('\0')) throw new TypeError(`an argument can't hold a NUL: ${JSON.stringify(word)}`);
  if (plain.test(word) && !reserved.has(word) && !assignment.test(word)) return word;
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

/** One command line for POSIX sh from an argv. */
export const quoteAll = (argv: readonly string[]): string => argv.map(quote).join(' ');

/** What we read of a command is in English, whatever the user's locale. LANGUAGE goes before LC_ALL in gettext(3). */
const locale = { LC_ALL: 'C.UTF-8', LANGUAGE: '' };

/** How `run` runs a command on this machine. */
export interface RunOptions {
  cwd?: string;
  /** Added to this process's environment, in which the locale is C.UTF-8. */
  env?: Record<string, string | undefined>;
  input?: string | Uint8Array;
  timeoutMs?: number;
  signal?: AbortSignal;
  /** Called with each line of stdout and stderr as it comes: for progress notes. */
  onLine?: (line: string) => void;
  /** Returns the result of a command that fails instead of throwing. */
  allowFailure?: boolean;
  /** Limit for each stream, default 64 MiB. A command that writes more is ended with a LabError. */
  maxBytes?: number;
  /** What the user should type when this command fails. */
  next?: string;
}

/** The result of a command on this machine. */
export interface RunResult {
  /** null: a signal ended the command, or it never started. */
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Used when a caller passes no `next`. Callers that can fail for a known reason pass one. */
const defaultNext = 'lab doctor';
/** No command that we run on this machine writes this much. */
const MAX_BYTES = 64 * 1024 * 1024;

/**
 * Runs argv without a shell and returns its text. Output is bounded.
 * Throws LabError when the command can't start, fails (unless allowFailure) or runs out of time. Rethrows the abort
 * reason. To stop a command, its whole process group gets SIGTERM, and SIGKILL 2 s later if anything still runs.
 */
export async function run(argv: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  const [file, ...args] = argv;
  if (file === undefined) throw new TypeError('run: empty argv');
  // Loaded at first use: it takes longer than many commands of ours.
  const { execa } = await import('execa');
  options.signal?.throwIfAborted();
  const child = execa(file, args, makeSettings(options));
  const group = superviseGroup(child.nodeChildProcess, { ...options, maxBytes: options.maxBytes ?? MAX_BYTES });
  const { onLine = () => undefined } = options;
  const streams = options.onLine ? (['stdout', 'stderr'] as const) : [];
  const followed = streams.map((from) => followLines(child.iterable({ from }), onLine));
  const result = await child.finally(group.release);
  await Promise.all(followed);
  options.signal?.throwIfAborted();
  const answer: RunResult = {
    code: result.exitCode ?? null,
    stdout: group.text('stdout'),
    stderr: group.text('stderr'),
  };
  const stopped = group.stopped();
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
  // A missing `cwd` also gives ENOENT; only this message of Node's tells the two apart.
  if (result.code === 'ENOENT' && result.originalMessage === `spawn ${file} ENOENT`) return `${file} is not installed`;
  const lastLine = stderr.trimEnd().split('\n').at(-1)?.slice(0, 500);
  return `${file} failed: ${lastLine || readMessage(result.originalMessage || result.shortMessage)}`;
}

function makeSettings(options: RunOptions): Options & { reject: false } {
  return {
    reject: false,
    // superviseGroup reads the output: execa would put all of it, escaped, into an error's message.
    buffer: false,
    // In a process group of its own, everything can be ended, and the terminal's Ctrl-C does not reach it before us.
    detached: true,
    cleanup: false,
    ...(options.input === undefined ? { stdin: 'ignore' } : { input: options.input }),
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    env: { ...locale, ...options.env },
  };
}

async function followLines(lines: AsyncIterable<unknown>, onLine: (line: string) => void): Promise<void> {
  try {
    for await (const line of lines) onLine(String(line));
  } catch {
    // The result says what went wrong. This handler only copies text.
  }
}

/** Leaders of the process groups that run now. They end when we end, unless SIGKILL ends us. */
const groups = new Set<number>();
process.on('exit', () => {
  for (const pid of groups) signalGroup(pid, 'SIGTERM');
});

/** Sends a signal to a process group, by its leader's pid. A group that has ended is not an error. */
function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // The group has ended.
  }
}

/** The part of a ChildProcess that is used here. The child leads a process group of its own. */
interface GroupLeader {
  readonly pid?: number | undefined;
  readonly spawnfile: string;
  readonly stdout: Readable | null;
  readonly stderr: Readable | null;
  once(event: 'exit', listener: () => void): unknown;
}

interface GroupLimits {
  /** Limit for each stream, in bytes. */
  maxBytes: number;
  timeoutMs?: number;
  signal?: AbortSignal;
}

interface SupervisedGroup {
  /** To be called when the command has ended. */
  release: () => void;
  /** Why we ended the command; undefined when we did not end it. */
  stopped: () => string | undefined;
  /** What it has written so far, within its limit. */
  text: (stream: 'stdout' | 'stderr') => string;
}

/** Reads a command's output. Ends its process group when it runs too long, writes too much, or the signal is aborted. */
function superviseGroup(child: GroupLeader, { maxBytes, timeoutMs, signal }: GroupLimits): SupervisedGroup {
  const { pid } = child;
  if (pid === undefined) return { release: () => undefined, stopped: () => undefined, text: () => '' };
  groups.add(pid);
  let why: string | undefined;
  const timers: NodeJS.Timeout[] = [];
  const stop = (reason: string): void => {
    why ??= reason;
    signalGroup(pid, 'SIGTERM');
    timers.push(setTimeout(signalGroup, 2000, pid, 'SIGKILL'));
    child.once('exit', () => {
      signalGroup(pid, 'SIGKILL');
      // A daemon that has left the group may hold these open for ever.
      child.stdout?.destroy();
      child.stderr?.destroy();
    });
  };
  const late = `${child.spawnfile} had not ended after ${(timeoutMs ?? 0) / 1000} s`;
  if (timeoutMs !== undefined) timers.push(setTimeout(stop, timeoutMs, late));
  const gather = (stream: Readable | null): (() => string) => {
    const much = (): void => stop(`${child.spawnfile} wrote more than ${maxBytes} bytes`);
    return stream ? gatherText(stream, maxBytes, much) : () => '';
  };
  const texts = { stdout: gather(child.stdout), stderr: gather(child.stderr) };
  const abort = (): void => stop('aborted');
  signal?.addEventListener('abort', abort, { once: true });
  const release = (): void => {
    groups.delete(pid);
    timers.forEach(clearTimeout);
    signal?.removeEventListener('abort', abort);
  };
  return { release, stopped: () => why, text: (stream) => texts[stream]() };
}

/**
 * Starts a process that outlives us. It has its own session (setsid) and no stdin, and appends stdout and stderr to
 * `logFile`. Returns its pid, which stays the same when it calls exec. LabError: it can't be started.
 */
export async function startDetached(argv: readonly string[], logFile: string): Promise<number> {
  const [file, ...args] = argv;
  if (file === undefined) throw new TypeError('startDetached: empty argv');
  const log = await open(logFile, 'a', 0o600);
  try {
    const child = spawn(file, args, {
      detached: true,
      stdio: ['ignore', log.fd, log.fd],
      env: { ...process.env, ...locale },
    });
    child.unref();
    await once(child, 'spawn').catch((error: unknown) => {
      throw new LabError({ what: `${file} cannot be started: ${readMessage(error)}`, next: defaultNext, cause: error });
    });
    return child.pid ?? 0;
  } finally {
    await log.close();
  }
}

/**
 * Shows text on our own terminal through a pager, a command line for sh(1). Returns when the pager has ended; false
 * when it could not be started. Meanwhile, Ctrl-C goes to the pager.
 */
export async function pageThrough(pager: string, text: string): Promise<boolean> {
  const ignore = (): void => undefined;
  process.on('SIGINT', ignore);
  try {
    // So less(1) shows colours when PAGER is only its name, and UTF-8 when the locale does not name it.
    const { LESS, LESSCHARSET } = process.env;
    const env = { ...process.env, LESS: LESS || 'R', LESSCHARSET: LESSCHARSET || 'utf-8' };
    const child = spawn('/bin/sh', ['-c', pager], { stdio: ['pipe', 'inherit', 'inherit'], env });
    // The reader may close the pager before all text is written.
    child.stdin.on('error', ignore);
    child.stdin.end(text);
    const [code] = (await once(child, 'close')) as [number | null];
    return code !== 126 && code !== 127;
  } finally {
    process.off('SIGINT', ignore);
  }
}

/** A process with its stdin and stdout as one byte stream: writes go to its stdin, reads come from its stdout. */
export interface PipedProcess {
  stream: Duplex;
  /** The end of its stderr, at most 4 KiB. Waits for the process to end, half a second at most. */
  lastWords: () => Promise<string>;
}

const LAST_WORDS_BYTES = 4096;
const LAST_WORDS_MS = 500;

/**
 * Collects the text of a stream, at most `maxBytes` of it. When more comes, calls `onMore` once and forgets the text.
 * The returned function gives the text so far; invalid UTF-8 becomes U+FFFD.
 */
export function gatherText(stream: Readable, maxBytes: number, onMore: () => void): () => string {
  const chunks: Buffer[] = [];
  let size = 0;
  stream.on('data', (chunk: Buffer) => {
    if (size > maxBytes) return;
    size += chunk.length;
    chunks.push(chunk);
    if (size <= maxBytes) return;
    chunks.length = 0;
    onMore();
  });
  return () => Buffer.concat(chunks).toString('utf8');
}

/** Collects the last 4 KiB of a text stream. The returned function gives the text so far. */
export function keepTail(stream: Readable): () => string {
  let tail = Buffer.alloc(0);
  stream.on('data', (chunk: Buffer) => (tail = Buffer.concat([tail, chunk]).subarray(-LAST_WORDS_BYTES)));
  return () => tail.toString();
}

/**
 * Starts argv in a session of its own, so that the terminal's Ctrl-C does not reach it. The process has to end when its
 * stdin closes, as it does when we die. Closing the stream also sends it SIGTERM. The stream fails when the process
 * can't be started.
 */
export function openPiped(argv: readonly string[]): PipedProcess {
  const [file, ...args] = argv;
  if (file === undefined) throw new TypeError('openPiped: empty argv');
  const child = spawn(file, args, { detached: true, stdio: 'pipe', env: { ...process.env, ...locale } });
  const stream = joinStreams(child.stdin, child.stdout);
  const tail = keepTail(child.stderr);
  child.once('error', (error) => stream.destroy(error));
  const silence = once(child.stderr, 'close');
  stream.once('close', () => {
    if (child.pid !== undefined) signalGroup(child.pid, 'SIGTERM');
    // From here on, the child must not keep our process alive.
    child.unref();
  });
  const lastWords = async (): Promise<string> => {
    const timer = setTimeout(() => child.stderr.destroy(), LAST_WORDS_MS);
    await silence;
    clearTimeout(timer);
    return tail();
  };
  return { stream, lastWords };
}

/**
 * Makes one stream of two: writes go to `to`, reads come from `from`. It ends when either of them ends. Node's own
 * Duplex.from is not used: when a process ends, it fails with "Premature close" and drops data that was not read yet.
 */
function joinStreams(to: Writable, from: Readable): Duplex {
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
