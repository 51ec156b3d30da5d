import { once, setMaxListeners } from 'node:events';
import { LabError, messageOf } from './errors.ts';
import { type Channel, ChannelProcess, type Wire } from './session-channel.ts';
import { collect } from './session-exec.ts';
import { killLine, remoteLine } from './session-line.ts';
import { Slots } from './session-slots.ts';
import type { Connection } from './session-ssh.ts';
import type { ExecOptions, ExecResult, RemoteProcess, Session, StreamOptions } from './session.ts';

/** sshd's MaxSessions is 10 unless set; two are left for signals. Further commands wait for their turn. */
const MOST_CHANNELS = 8;
/** sshd frees a session a moment after its channel has closed: how many round trips that may take. */
const OPEN_TRIES = 20;

/** A session over one authenticated connection. */
export class LabSession implements Session {
  readonly #connection: Connection;
  readonly #lab: string;
  readonly #slots = new Slots(MOST_CHANNELS);
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
    const where = shown(command);
    return collect((signal) => this.#start(command, where, { signal }), options, {
      where,
      next: `lab status ${this.#lab}`,
    });
  }

  stream(command: string | undefined, options: StreamOptions = {}): Promise<RemoteProcess> {
    return this.#start(command, command === undefined ? 'login shell' : shown(command), options);
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
    const free = await this.#slots.take(this.#either(options.signal));
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
    const what = this.#lost?.message ?? `the lab host of ${this.#lab} starts no command: ${messageOf(error)}`;
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

  /** Outside the slots: a signal must not wait for the commands that it may be meant to end. */
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

const shown = (command: string | readonly string[]): string =>
  (typeof command === 'string' ? command : command.join(' ')).slice(0, 300);
