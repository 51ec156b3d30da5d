import { randomBytes } from 'node:crypto';
import { type Duplex, PassThrough, type Readable, Transform, type TransformCallback, type Writable } from 'node:stream';
import { LabError } from './errors.ts';
import { quote, quoteAll } from './process.ts';

/** How a remote command ended: by its exit code, by a signal (name without SIG), or without any status (both null). */
export interface RemoteEnd {
  code: number | null;
  signal: string | null;
}

/** A command that runs on a lab host. */
export interface RemoteProcess {
  stdin: Writable;
  /** Both streams end when the command has ended or the connection is lost. `ended` tells which of the two happened. */
  stdout: Readable;
  stderr: Readable;
  resize(rows: number, columns: number): void;
  /** Sends the command's process group a signal (name without SIG). Without effect on a command with a pty. */
  kill(signal: string): void;
  /** Gives up: sends SIGTERM, then closes the channel. Settles when the signal has arrived, at most 1 s later. */
  close(): Promise<void>;
  /**
   * Settles when the command has ended and all its earlier output has arrived. Does not wait for background children to
   * close their pipes. Rejects with LabError when the connection is lost before that.
   */
  ended: Promise<RemoteEnd>;
}

/** The part of ssh2's ClientChannel that is used here. */
export interface Channel extends Duplex {
  readonly stderr: Readable;
  setWindow(rows: number, columns: number, height: number, width: number): void;
  close(): void;
}

/** What a remote process needs of the connection that it runs on. */
export interface Wire {
  /** Settles after sshd has answered a request sent now. Rejects when the connection is lost. */
  roundTrip(): Promise<void>;
  /** Sends a signal to a remote process group. Settles when the signal is sent or can't be sent. */
  signal(name: string, pid: number): Promise<void>;
  /** Why the connection is lost; undefined while it is not. */
  lost(): LabError | undefined;
  /** Names the command in errors. */
  where: string;
  next: string;
}

/**
 * More than the output that can still be on its way when a process's exit status arrives: one channel window (2 MiB) in
 * sshd and a pipe's largest capacity (1 MiB, pipe(7)).
 */
const MOST_ON_THE_WAY = 4 * 1024 * 1024;

/**
 * sshd reads at least this much at once from a pipe that holds more (CHAN_RBUF, channels.h; 32 KiB without a filter). A
 * read that gives less has emptied the pipe: pipe(7).
 */
const FULL_READ = 16 * 1024;

/** A lab host that answers delivers a signal in this time. We wait no longer for one that hangs. */
const FAREWELL_MS = 1000;

const ignore = (): undefined => undefined;

/** A process at the other end of an ssh channel. See RemoteProcess. */
export class ChannelProcess implements RemoteProcess {
  readonly stdin: Duplex;
  readonly stdout: Transform;
  readonly stderr: Transform;
  readonly ended: Promise<RemoteEnd>;
  readonly #channel: Channel;
  readonly #wire: Wire;
  /** Whether the process reports its pid on stderr. Without a pid it can't be signalled. */
  readonly #signallable: boolean;
  readonly #pid = Promise.withResolvers<number>();
  /** Settles when all signals sent so far have arrived. */
  #signals: Promise<void> = Promise.resolve();
  #exit: RemoteEnd | undefined;
  /** How many of the two streams, stdout and stderr, are still open. */
  #open = 2;
  #settled = false;
  /** Bytes of output since the exit status arrived. */
  #late = 0;
  readonly #resolve: (end: RemoteEnd) => void;
  readonly #reject: (error: LabError) => void;

  constructor(channel: Channel, wire: Wire, nonce: string | undefined) {
    this.#channel = channel;
    this.#wire = wire;
    this.stdin = channel;
    this.#signallable = nonce !== undefined;
    const { promise, resolve, reject } = Promise.withResolvers<RemoteEnd>();
    [this.ended, this.#resolve, this.#reject] = [promise, resolve, reject];
    // A caller who only reads the output must not meet an unhandled rejection.
    this.ended.catch(() => undefined);
    this.stdout = this.#follow(channel, new PassThrough());
    const filter = nonce === undefined ? new PassThrough() : new PidFilter(nonce, this.#pid.resolve);
    this.stderr = this.#follow(channel.stderr, filter);
    // A write to a command that has ended fails. That is not an error: `ended` says how the command ended.
    channel.on('error', () => undefined);
    channel.on('exit', (code: number | null, signal?: string) => void this.#exited(code, signal));
    channel.on('close', () => this.#closed());
  }

  resize(rows: number, columns: number): void {
    this.#channel.setWindow(rows, columns, 0, 0);
  }

  kill(signal: string): void {
    if (!this.#signallable) return;
    this.#signals = this.#signals.then(async () => {
      const pid = await Promise.race([this.#pid.promise, this.ended.then(ignore, ignore)]);
      if (pid !== undefined && !this.#exit && !this.#settled) await this.#wire.signal(signal, pid);
    });
  }

  async close(): Promise<void> {
    this.kill('TERM');
    const late = Promise.withResolvers<undefined>();
    const timer = setTimeout(late.resolve, FAREWELL_MS, undefined);
    await Promise.race([this.#signals, late.promise]);
    clearTimeout(timer);
    this.#channel.close();
  }

  /** Copies a stream: with backpressure until the exit status has arrived, without it afterwards. */
  #follow(from: Readable, to: Transform): Transform {
    from.on('data', (chunk: Buffer) => {
      if (this.#settled) return;
      if (this.#exit) this.#late += chunk.length;
      if (!to.write(chunk) && !this.#exit) from.pause();
    });
    to.on('drain', () => from.resume());
    from.on('end', () => {
      this.#open -= 1;
      to.end();
      this.#finishIfDrained();
    });
    return to;
  }

  async #exited(code: number | null, signal?: string): Promise<void> {
    this.#exit = { code, signal: signal?.replace(/^SIG/, '') ?? null };
    this.#takeRest();
    await this.#drain();
  }

  /** Reads the rest of the output even when our own reader is slow: the rest is bounded. */
  #takeRest(): void {
    this.#channel.resume();
    this.#channel.stderr.resume();
    this.#finishIfDrained();
  }

  /**
   * Reads only what the process wrote before it ended.
   *
   * sshd sends the exit status as soon as it has reaped the process. Only then does it send what the process left in
   * its pipes. The channel ends when the last background child has closed the pipes, which may never happen. So we send
   * requests and watch what arrives between two answers. Each turn of sshd's loop (server_loop2, serverloop.c) first
   * reads from a pipe that holds data, then takes our next request. It sends what it read before it answers that
   * request. When less than a full read arrives between two answers, the pipes were empty in between. Later output
   * comes from a background child. So a child that writes a line in each round trip delays nobody.
   */
  async #drain(): Promise<void> {
    try {
      await this.#wire.roundTrip();
      while (!this.#settled) {
        const before = this.#late;
        await this.#wire.roundTrip();
        if (this.#late - before < FULL_READ || this.#late > MOST_ON_THE_WAY) break;
      }
      this.#finish();
    } catch {
      // The connection is gone: `#closed` settles `ended`.
    }
  }

  #finishIfDrained(): void {
    if (this.#exit && this.#open === 0) this.#finish();
  }

  #finish(): void {
    if (this.#settle()) this.#resolve(this.#exit ?? { code: null, signal: null });
  }

  /** Ends the streams and closes the channel. True the first time. */
  #settle(): boolean {
    if (this.#settled) return false;
    this.#settled = true;
    this.stdout.end();
    this.stderr.end();
    this.#channel.close();
    return true;
  }

  #closed(): void {
    const lost = this.#wire.lost();
    if (!lost) {
      this.#exit ??= { code: null, signal: null };
      this.#takeRest();
    } else if (this.#settle()) {
      this.#reject(new LabError({ what: lost.message, where: this.#wire.where, next: this.#wire.next, cause: lost }));
    }
  }
}

/** One command line as sshd gets it, and the nonce with which its first line on stderr begins (none with a pty). */
export interface RemoteLine {
  line: string;
  nonce: string | undefined;
}

/** One argument of execve(2) holds at most 128 KiB (MAX_ARG_STRLEN), its final NUL included. */
const LONGEST_LINE = 128 * 1024 - 1;

/**
 * The line that the remote user's shell runs. The shell first writes `NONCE PID` to stderr. sshd made it the leader of
 * a session of its own, so its pid is the process group to signal (sshd itself refuses RFC 4254 signals for root). Then
 * it becomes /bin/sh with the command, which gets SIGHUP when its sshd ends (PR_SET_PDEATHSIG, prctl(2)). A cut
 * connection leaves no command behind, but background children and commands under nohup stay. Throws TypeError on a
 * line that is too long for one argument: pass such a script to `sh` by stdin.
 */
export function remoteLine(command: string | readonly string[], pty: boolean): RemoteLine {
  const script = quote(typeof command === 'string' ? command : `exec ${quoteAll(command)}`);
  const tied = 'command -v setpriv >/dev/null 2>&1 && exec setpriv --pdeathsig HUP -- /bin/sh -c "$handwired"';
  const run = `${tied}; exec /bin/sh -c "$handwired"`;
  const longest = LONGEST_LINE - 200;
  if (Buffer.byteLength(script) > longest) throw new TypeError(`a command line is longer than ${longest} bytes`);
  if (pty) return { line: `handwired=${script}; ${run}`, nonce: undefined };
  const nonce = randomBytes(12).toString('hex');
  return { line: `handwired=${script}; echo ${nonce} $$ >&2; ${run}`, nonce };
}

/** `kill` for the whole process group. A group that has ended is not an error. */
export const killLine = (signal: string, pid: number): string =>
  `kill -s ${quote(signal)} -- -${pid} 2>/dev/null || true`;

/** Most bytes after the nonce: a pid has at most 7 digits (PID_MAX_LIMIT, proc(5)). A longer line is forged. */
const TAIL_BYTES = 16;

/** Passes stderr through without the line that `remoteLine` adds. Calls `onPid` once, when that line has arrived. */
class PidFilter extends Transform {
  readonly #nonce: Buffer;
  readonly #onPid: (pid: number) => void;
  #held: Buffer | undefined = Buffer.alloc(0);

  constructor(nonce: string, onPid: (pid: number) => void) {
    super();
    this.#nonce = Buffer.from(`${nonce} `);
    this.#onPid = onPid;
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    if (this.#held === undefined) {
      done(null, chunk);
      return;
    }
    const held = Buffer.concat([this.#held, chunk]);
    const at = held.indexOf(this.#nonce);
    // A login shell's start files may have written something before. Only what may begin the nonce is held back.
    const cut = at === -1 ? Math.max(0, held.length - this.#nonce.length + 1) : at;
    if (cut > 0) this.push(held.subarray(0, cut));
    this.#held = held.subarray(cut);
    if (at !== -1) this.#readPid(this.#held);
    done();
  }

  #readPid(line: Buffer): void {
    const end = line.indexOf('\n');
    if (end === -1 && line.length < this.#nonce.length + TAIL_BYTES) return;
    const pid = Number(line.subarray(this.#nonce.length, end === -1 ? 0 : end).toString('latin1'));
    this.#held = undefined;
    if (end === -1 || !Number.isInteger(pid) || pid < 2) this.push(line);
    else {
      this.#onPid(pid);
      if (line.length > end + 1) this.push(line.subarray(end + 1));
    }
  }

  override _flush(done: TransformCallback): void {
    if (this.#held !== undefined && this.#held.length > 0) this.push(this.#held);
    done();
  }
}
