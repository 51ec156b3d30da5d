import { EventEmitter } from 'node:events';
import { createRequire } from 'node:module';
import { PassThrough, pipeline } from 'node:stream';
import type { Options, ProcessOutput, ProcessPromise } from 'zx/core';
import { LabError } from './errors.ts';
import { quote } from './process.ts';
import type { RemoteProcess } from './session-process.ts';
import type { Session } from './session.ts';

/** The result of a Shell's command: zx's stdout, stderr, exitCode and signal. */
export type ShellOutput = ProcessOutput;

/** A `$` of zx that runs its commands on a lab host. `$({..options})` gives another `$` with those options of zx. */
export interface Shell {
  (pieces: TemplateStringsArray, ...values: unknown[]): ProcessPromise;
  (options: Partial<Options>): Shell;
}

/** Limits of a shell's commands, and a listener for them. */
export interface ShellOptions {
  /** Called with each command line when it starts. */
  onCommand?: (line: string) => void;
  /** Ends the running commands. No more commands start afterwards. */
  signal?: AbortSignal;
  /** For each command, default 60 000. On expiry the command gets SIGTERM and fails. */
  timeoutMs?: number;
  /** Limit for each command's stdout and for its stderr, default 16 MiB. A command that writes more fails. */
  maxBytes?: number;
}

/**
 * Makes a `$` of zx over a session. It quotes values for POSIX sh and runs the command as root on the lab host, in
 * /root with the lab host's environment (zx's `cwd` and `env` are this machine's, and have no effect). It supports what
 * ProcessPromise does: nothrow, quiet, stdout, exitCode, input, pipe, kill, timeout, abort. As with zx, stdin stays
 * open unless `input` is given. A command that fails rejects with a ProcessOutput. A command that did not run to its
 * end (connection lost, time or size exceeded) has code null and a LabError as its `cause`, also under nothrow: see
 * `describeTrouble`.
 */
export function createShell(session: Session, options: ShellOptions = {}): Shell {
  return shellWith(sessionSpawn(session, options), options.signal);
}

/** A `$` that runs nothing: it records each command, quoted as by `createShell`, which "succeeds" without output. */
export function createRecordingShell(): { $: Shell; commands: string[] } {
  const commands: string[] = [];
  return { $: shellWith(recordingSpawn((line) => commands.push(line))), commands };
}

/** Why a shell's command did not run to its end, from what it threw or gave; undefined when it ended by itself. */
export function describeTrouble(output: unknown): LabError | undefined {
  const cause = output instanceof Error ? output.cause : undefined;
  return cause instanceof LabError ? cause : undefined;
}

type Zx = typeof import('zx/core');

/** Loads zx at first use, so that commands which build nothing stay fast. */
function zx(): Zx {
  const core = createRequire(import.meta.url)('zx/core') as Zx;
  // A call without the options below must not run or kill anything on this machine.
  core.defaults.spawn = refuse;
  core.defaults.spawnSync = refuse;
  core.defaults.kill = killRemote;
  return core;
}

const refuse = (): never => {
  throw new TypeError('zx runs commands on lab hosts only; local ones are started by host/process.ts');
};

function shellWith(spawn: Spawn, signal?: AbortSignal): Shell {
  const options = {
    spawn: spawn as unknown as Options['spawn'],
    quote,
    shell: '/bin/sh',
    prefix: '',
    postfix: '',
    quiet: true,
    verbose: false,
    ...(signal ? { signal } : {}),
  };
  const base: unknown = zx().$(options);
  return withPipes(base as Shell);
}

/** zx's `pipe` runs its template by the global `$`; here it must run on the same lab host. */
function withPipes(base: Shell): Shell {
  const shell = (first: TemplateStringsArray | Partial<Options>, ...values: unknown[]): unknown =>
    isTemplate(first) ? pipingTo(shell as Shell, base(first, ...values)) : withPipes(base(first));
  return shell as Shell;
}

function pipingTo(shell: Shell, process: ProcessPromise): ProcessPromise {
  const { pipe } = process;
  const here =
    (to: (target: never) => unknown) =>
    (target: unknown, ...values: unknown[]): unknown =>
      to((isTemplate(target) ? shell({ halt: true, signal: process.signal })(target, ...values) : target) as never);
  const value = Object.assign(here(pipe), {
    stdout: here(pipe.stdout),
    stderr: here(pipe.stderr),
    stdall: here(pipe.stdall),
  });
  return Object.defineProperty(process, 'pipe', { value });
}

const isTemplate = (value: unknown): value is TemplateStringsArray => Array.isArray(value);

/** The part of child_process.spawn that zx uses: `line` is a whole command line. */
type Spawn = (line: string, args: readonly string[], options: { signal?: AbortSignal }) => Child;

const TIMEOUT_MS = 60_000;
const MAX_BYTES = 16 * 1024 * 1024;

/**
 * Numbers under which zx knows remote processes: beyond every pid of Linux (PID_MAX_LIMIT is 2^22, proc(5)), so that
 * no kill(2) with one of them can ever hit a process of this machine.
 */
let nextPid = 2 ** 30;
const running = new Map<number, Child>();

/** zx calls this to kill a process by number. It signals only our remote processes. */
function killRemote(pid: number | string, signal?: NodeJS.Signals): Promise<void> {
  running.get(Number(pid))?.kill(signal);
  return Promise.resolve();
}

/** Starts each command line on the session's lab host. */
function sessionSpawn(session: Session, options: ShellOptions): Spawn {
  return (line, _args, { signal }) => {
    const child = new Child();
    const ms = options.timeoutMs ?? TIMEOUT_MS;
    const late = (): void => void child.fail(trouble(`the command had not ended after ${ms / 1000} s`, line));
    const abort = (): void => void child.fail(signal?.reason);
    const timer = setTimeout(late, ms);
    signal?.addEventListener('abort', abort, { once: true });
    child.once('exit', () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
    });
    if (signal?.aborted) process.nextTick(abort);
    else void start(session, line, child, options);
    return child;
  };
}

async function start(session: Session, line: string, child: Child, options: ShellOptions): Promise<void> {
  options.onCommand?.(line);
  const most = options.maxBytes ?? MAX_BYTES;
  try {
    const remote = await session.stream(line);
    child.attach(remote, most, () => void child.fail(trouble(`the command wrote more than ${most} bytes`, line)));
    const { code, signal } = await remote.ended;
    child.end(code, signal);
  } catch (error) {
    await child.fail(error);
  }
}

const trouble = (what: string, line: string): LabError =>
  new LabError({ what, where: line.slice(0, 300), next: 'lab status' });

/** Starts nothing: passes each command line to `record`, and the command "ends" with code 0. */
function recordingSpawn(record: (line: string) => void): Spawn {
  return (line) => {
    record(line);
    const child = new Child();
    process.nextTick(() => child.end(0, null));
    return child;
  };
}

/** Looks like a ChildProcess to zx. Emits `error` at most once, then `exit`, then `close` after its output has ended. */
class Child extends EventEmitter {
  readonly pid = nextPid++;
  readonly stdin = new PassThrough();
  readonly stdout = new PassThrough();
  readonly stderr = new PassThrough();
  #remote: RemoteProcess | undefined;
  #waiting: NodeJS.Signals[] = [];
  #ended = false;
  #failed = false;

  constructor() {
    super();
    running.set(this.pid, this);
  }

  kill(signal: NodeJS.Signals = 'SIGTERM'): boolean {
    if (this.#remote) this.#remote.kill(signal.replace(/^SIG/, ''));
    else this.#waiting.push(signal);
    return !this.#ended;
  }

  /** Connects its streams to those of a remote process. Calls `onMuch` when one has given more than `most` bytes. */
  attach(remote: RemoteProcess, most: number, onMuch: () => void): void {
    this.#remote = remote;
    if (this.#failed) {
      void remote.close();
      return;
    }
    for (const signal of this.#waiting.splice(0)) this.kill(signal);
    // A command that ends before it has read all its input is not an error.
    pipeline(this.stdin, remote.stdin, () => undefined);
    for (const kind of ['stdout', 'stderr'] as const) {
      let size = 0;
      remote[kind].on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size > most) onMuch();
      });
      remote[kind].pipe(this[kind]);
    }
  }

  /** Gives up on the command: `error` says why it did not run to its end. */
  async fail(error: unknown): Promise<void> {
    if (this.#ended || this.#failed) return;
    this.#failed = true;
    this.emit('error', error);
    await this.#remote?.close();
    this.#remote?.stdout.unpipe();
    this.#remote?.stderr.unpipe();
    this.stdout.end();
    this.stderr.end();
    this.#finish(null, null);
  }

  /** Called when the command has ended. Its output may still be on its way to the reader. */
  end(code: number | null, signal: string | null): void {
    if (!this.#failed) this.#finish(code, signal);
  }

  #finish(code: number | null, signal: string | null): void {
    if (this.#ended) return;
    this.#ended = true;
    running.delete(this.pid);
    const name = signal === null ? null : `SIG${signal}`;
    this.emit('exit', code, name);
    if (!this.#remote) {
      this.stdout.end();
      this.stderr.end();
    }
    let open = 2;
    for (const stream of [this.stdout, this.stderr]) {
      const ended = (): void => {
        open -= 1;
        if (open === 0) this.emit('close', code, name);
      };
      if (stream.readableEnded) ended();
      else stream.once('end', ended);
    }
  }
}
