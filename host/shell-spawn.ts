import { EventEmitter } from 'node:events';
import { PassThrough, pipeline } from 'node:stream';
import { LabError } from './errors.ts';
import type { RemoteProcess, Session } from './session.ts';

/** The part of child_process.spawn that zx uses: `line` is a whole command line. */
export type Spawn = (line: string, args: readonly string[], options: { signal?: AbortSignal }) => Child;

export interface SpawnOptions {
  onCommand?: (line: string) => void;
  timeoutMs?: number;
  maxBytes?: number;
}

const TIMEOUT_MS = 60_000;
const MAX_BYTES = 16 * 1024 * 1024;

/**
 * Numbers under which zx knows remote processes: beyond every pid of Linux (PID_MAX_LIMIT is 2^22, proc(5)), so that
 * no kill(2) with one of them can ever hit a process of this machine.
 */
let nextPid = 2 ** 30;
const running = new Map<number, Child>();

/** What zx calls to kill by number: one of our remote processes, and nothing else. */
export function killRemote(pid: number | string, signal?: NodeJS.Signals): Promise<void> {
  running.get(Number(pid))?.kill(signal);
  return Promise.resolve();
}

/** Starts each command line on the session's lab host. */
export function sessionSpawn(session: Session, options: SpawnOptions): Spawn {
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

async function start(session: Session, line: string, child: Child, options: SpawnOptions): Promise<void> {
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

/** Starts nothing: each command line is given to `record` and "ends" with code 0. */
export function recordingSpawn(record: (line: string) => void): Spawn {
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

  /** Connects its streams to those of a remote process; calls `onMuch` when one has given more than `most` bytes. */
  attach(remote: RemoteProcess, most: number, onMuch: () => void): void {
    this.#remote = remote;
    if (this.#failed) {
      void remote.close();
      return;
    }
    for (const signal of this.#waiting.splice(0)) this.kill(signal);
    // A command that ends before it has read all its input is no error.
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

  /** Gives up on it: `error` says why it was not run to its end. */
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

  /** It has ended; its output may still be on its way to the reader. */
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
