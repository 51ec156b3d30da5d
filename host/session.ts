import { once, setMaxListeners } from 'node:events';
import type { Readable } from 'node:stream';
import { LabError, readMessage } from './errors.ts';
import { gatherText } from './process.ts';
import {
  type Channel,
  ChannelProcess,
  killLine,
  remoteLine,
  type RemoteProcess,
  type Wire,
} from './session-process.ts';

/** One ssh connection to a lab host. Commands run as root, by its /bin/sh. */
export interface Session {
  /** Runs a command line, or an argv that is quoted for sh, and returns its bounded output. */
  exec(command: string | readonly string[], options?: ExecOptions): Promise<ExecResult>;
  /** Starts a command, or the login shell with undefined. Its stdio is passed through as it comes. */
  stream(command: string | undefined, options?: StreamOptions): Promise<RemoteProcess>;
  close(): void;
}

/** Bounds and input of a command on a lab host. */
export interface ExecOptions {
  input?: string | Uint8Array;
  /** Default 30 000. On expiry the remote process group gets SIGTERM and a LabError is thrown. */
  timeoutMs?: number;
  /** Limit for each stream, default 16 MiB. More output gives a LabError, and no more is buffered. */
  maxBytes?: number;
  signal?: AbortSignal;
}

/** The result of a command on a lab host. */
export interface ExecResult {
  /** null: a signal ended the command, or the lab host closed the channel without a status. */
  code: number | null;
  /** Name without SIG, as in RFC 4254 6.10. */
  signal: string | null;
  /** Invalid UTF-8 becomes U+FFFD. */
  stdout: string;
  stderr: string;
}

/** How a command on a lab host is started. */
export interface StreamOptions {
  /** Gives the command a terminal of this size. Its stderr then comes with stdout. */
  pty?: Pty;
  /** Ends the wait for a free channel. To end a command that has begun, call `kill`. */
  signal?: AbortSignal;
}

/** The terminal that a command gets. */
export interface Pty {
  rows: number;
  columns: number;
  /** As in TERM: term(7). */
  term: string;
}

/** How long to try to connect. */
export interface ConnectOptions {
  /** Time for connecting and authenticating; default 10 000. */
  timeoutMs?: number;
  signal?: AbortSignal;
}

/** An authenticated connection, with the few functions that a session needs. */
export interface Connection {
  /**
   * Opens a channel and gives the result of `use`. `use` is called before ssh2 emits anything: a quick command's exit
   * status may come in the same packet as the answer to its start.
   */
  open<T>(line: string | undefined, pty: Pty | undefined, use: (channel: Channel) => T): Promise<T>;
  /** Settles after sshd has answered a request sent now; rejects when the connection is lost. */
  roundTrip(): Promise<void>;
  /** The listener is called once, with the reason, when the connection is lost. */
  onLost(listener: (why: string) => void): void;
  close(): void;
}

/** sshd allows 10 sessions by default (MaxSessions); two are kept for signals. Further commands wait for their turn. */
const MOST_CHANNELS = 8;
/** sshd frees a session a moment after its channel has closed. We wait for this at most this many round trips. */
const OPEN_TRIES = 20;

/** A session over one authenticated connection. */
export class LabSession implements Session {
  readonly #connection: Connection;
  readonly #lab: string;
  readonly #channels = new Slots(MOST_CHANNELS);
  readonly #gone = new AbortController();
  #lost: LabError | undefined;
  #closing = false;

  constructor(connection: Connection, lab: string) {
    this.#connection = connection;
    this.#lab = lab;
    setMaxListeners(0, this.#gone.signal);
    connection.onLost((why) => this.#lose(why));
  }

  #lose(why: string): void {
    if (this.#lost) return;
    const lost = `the connection to the lab host of ${this.#lab} was lost: ${why}`;
    const what = this.#closing ? 'the session was closed before the command had ended' : lost;
    this.#lost = new LabError({ what, next: `lab status ${this.#lab}` });
    this.#gone.abort(this.#lost);
  }

  async exec(command: string | readonly string[], options: ExecOptions = {}): Promise<ExecResult> {
    options.signal?.throwIfAborted();
    const where = describeCommand(command);
    return collect((signal) => this.#start(command, where, { signal }), options, {
      where,
      next: `lab status ${this.#lab}`,
    });
  }

  stream(command: string | undefined, options: StreamOptions = {}): Promise<RemoteProcess> {
    return this.#start(command, command === undefined ? 'login shell' : describeCommand(command), options);
  }

  close(): void {
    this.#closing = true;
    this.#connection.close();
    this.#lose('closed');
  }

  async #start(
    command: string | readonly string[] | undefined,
    where: string,
    options: StreamOptions,
  ): Promise<ChannelProcess> {
    const free = await this.#channels.take(this.#either(options.signal));
    try {
      const remote = command === undefined ? undefined : remoteLine(command, options.pty !== undefined);
      return await this.#open(remote?.line, where, options, (channel) => {
        channel.once('close', free);
        return new ChannelProcess(channel, this.#wire(where), remote?.nonce);
      });
    } catch (error) {
      free();
      throw error;
    }
  }

  async #open<T>(
    line: string | undefined,
    where: string,
    options: StreamOptions,
    use: (channel: Channel) => T,
  ): Promise<T> {
    for (let left = OPEN_TRIES; ; left -= 1) {
      try {
        options.signal?.throwIfAborted();
        if (this.#lost) throw this.#lost;
        return await this.#connection.open(line, options.pty, use);
      } catch (error) {
        options.signal?.throwIfAborted();
        if (this.#lost ?? left === 0) throw this.#failed(error, where);
        await this.#connection.roundTrip().catch((lost: unknown) => {
          throw this.#failed(lost, where);
        });
      }
    }
  }

  #failed(error: unknown, where: string): LabError {
    const what = this.#lost?.message ?? `the lab host of ${this.#lab} starts no command: ${readMessage(error)}`;
    return new LabError({ what, where, next: `lab status ${this.#lab}`, cause: error });
  }

  #wire(where: string): Wire {
    return {
      roundTrip: () => this.#connection.roundTrip(),
      signal: (name, pid) => this.#signal(name, pid),
      lost: () => this.#lost,
      where,
      next: `lab status ${this.#lab}`,
    };
  }

  /** Does not wait for a free channel: a signal must not wait for the very commands that it should end. */
  async #signal(name: string, pid: number): Promise<void> {
    try {
      const closed = await this.#open(killLine(name, pid), 'kill', {}, (channel) => {
        channel.stderr.resume();
        return { end: once(channel.resume(), 'close') };
      });
      await closed.end;
    } catch {
      // Without a connection there is nothing left to signal.
    }
  }

  #either(signal: AbortSignal | undefined): AbortSignal {
    return signal ? AbortSignal.any([signal, this.#gone.signal]) : this.#gone.signal;
  }
}

/** A command as error messages name it. */
const describeCommand = (command: string | readonly string[]): string =>
  (typeof command === 'string' ? command : command.join(' ')).slice(0, 300);

const TIMEOUT_MS = 30_000;
const MAX_BYTES = 16 * 1024 * 1024;

/** Runs the command that `start` begins and returns its text. Bounds its size and time; ends it when aborted. */
async function collect(
  start: (signal: AbortSignal) => Promise<RemoteProcess>,
  options: ExecOptions,
  trouble: { where: string; next: string },
): Promise<ExecResult> {
  const ms = options.timeoutMs ?? TIMEOUT_MS;
  const most = options.maxBytes ?? MAX_BYTES;
  const stop = new AbortController();
  const late = (): void =>
    stop.abort(new LabError({ what: `the command had not ended after ${ms / 1000} s`, ...trouble }));
  const much = (): void =>
    stop.abort(new LabError({ what: `the command wrote more than ${most} bytes to one stream`, ...trouble }));
  const abort = (): void => stop.abort(options.signal?.reason);
  const timer = setTimeout(late, ms);
  options.signal?.addEventListener('abort', abort, { once: true });
  try {
    return await finish(await start(stop.signal), options.input, { most, much, signal: stop.signal });
  } finally {
    clearTimeout(timer);
    options.signal?.removeEventListener('abort', abort);
  }
}

interface Bounds {
  most: number;
  much: () => void;
  signal: AbortSignal;
}

/** Writes the input, reads both streams and waits for the end; gives up when the bounds' signal is aborted. */
async function finish(process: RemoteProcess, input: string | Uint8Array | undefined, bounds: Bounds) {
  const stdout = gather(process.stdout, bounds);
  const stderr = gather(process.stderr, bounds);
  if (input !== undefined) process.stdin.write(input);
  process.stdin.end();
  const { promise, reject } = Promise.withResolvers<never>();
  const stop = (): void => {
    void process.close().finally(() => reject(bounds.signal.reason as Error));
  };
  if (bounds.signal.aborted) stop();
  bounds.signal.addEventListener('abort', stop, { once: true });
  const end = await Promise.race([process.ended, promise]);
  // A command that we ended gave no answer, whatever its exit status.
  if (bounds.signal.aborted) await promise;
  return { ...end, stdout: await stdout, stderr: await stderr };
}

async function gather(stream: Readable, { most, much }: Bounds): Promise<string> {
  const text = gatherText(stream, most, much);
  await once(stream, 'end');
  return text();
}

/** Gives places to at most `free` holders at once. The others wait in order. */
class Slots {
  #free: number;
  readonly #queue: (() => void)[] = [];

  constructor(free: number) {
    this.#free = free;
  }

  /** Waits for a place and returns the function that gives it back. Throws the abort reason. */
  async take(signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted();
    if (this.#free > 0) this.#free -= 1;
    else await this.#turn(signal);
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      const next = this.#queue.shift();
      if (next) next();
      else this.#free += 1;
    };
  }

  #turn(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const turn = (): void => {
        signal.removeEventListener('abort', abort);
        resolve();
      };
      const abort = (): void => {
        this.#queue.splice(this.#queue.indexOf(turn), 1);
        reject(signal.reason as Error);
      };
      signal.addEventListener('abort', abort, { once: true });
      this.#queue.push(turn);
    });
  }
}
