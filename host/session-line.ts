import { randomBytes } from 'node:crypto';
import { Transform, type TransformCallback } from 'node:stream';
import { quote, quoteAll } from './quote.ts';

/** One command as sshd gets it, and the nonce by which its first line of stderr is known; none with a pty. */
export interface RemoteLine {
  line: string;
  nonce: string | undefined;
}

/** One argument of execve(2) holds at most 128 KiB (MAX_ARG_STRLEN), its final NUL included. */
const LONGEST_LINE = 128 * 1024 - 1;

/**
 * What the remote user's shell is told to run. It first writes `NONCE PID` to stderr: sshd made it the leader of a
 * session of its own, so that number is the process group to signal (sshd itself refuses RFC 4254 signals for root).
 * Then it becomes /bin/sh with the command, which gets SIGHUP when its sshd ends (PR_SET_PDEATHSIG, prctl(2)): a
 * connection that is cut leaves no command behind, while background children, and what runs by nohup, stay.
 * Throws TypeError on a line that no argument can hold: such a script goes to `sh` by stdin.
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

/** `kill` for the whole process group; a group that has gone is no error. */
export const killLine = (signal: string, pid: number): string =>
  `kill -s ${quote(signal)} -- -${pid} 2>/dev/null || true`;

/** Longest `NONCE PID\n` tail: a pid has at most 7 digits (PID_MAX_LIMIT, proc(5)); beyond it the line is forged. */
const TAIL_BYTES = 16;

/** Passes stderr through without the line that `remoteLine` adds; calls `onPid` once when that has come. */
export class PidFilter extends Transform {
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
    // A login shell's start files may have written something before; only what may begin the nonce is kept back.
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
