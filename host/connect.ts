import { once } from 'node:events';
import { connect as connectTcp } from 'node:net';
import type { Readable } from 'node:stream';
import { LabError, readMessage, parseScriptError } from './errors.ts';
import type { Dial, Endpoint, SshTarget } from './lab.ts';
import { keepTail, openPiped, quoteAll, run } from './process.ts';
import type { ConnectOptions, ExecOptions, ExecResult, Session } from './session.ts';

/**
 * Connects to a lab host by its pinned host key and the lab's own ed25519 key. LabError: `unreachable` when it does not
 * answer, `broken` when it shows another host key or refuses ours. Rethrows the abort reason.
 */
export async function connect(target: SshTarget, options?: ConnectOptions): Promise<Session> {
  // ssh2 is loaded here and not before: commands that need no lab host stay fast.
  const { connectOverSsh } = await import('./session-ssh.ts');
  return connectOverSsh(target, options);
}

/**
 * Asks whether an ssh server greets in time. Returns undefined when one does, else the reason. A greeting is the first
 * line that the server sends (RFC 4253 4.2). An sshd that sends it has started with its host key. The greeting costs
 * less than a login, whose key exchange takes a second on an emulated VM. Rethrows the abort reason.
 */
export async function probeGreeting(
  dial: Dial,
  { timeoutMs, signal }: { timeoutMs: number; signal: AbortSignal },
): Promise<string | undefined> {
  const { stream, lastWords } =
    'command' in dial
      ? openPiped(dial.command)
      : { stream: connectTcp({ host: dial.address, port: dial.port }), lastWords: () => Promise.resolve('') };
  const limited = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
  const stop = (): void => void stream.destroy(new Error(`no greeting in ${timeoutMs / 1000} s`));
  limited.addEventListener('abort', stop, { once: true });
  try {
    for await (const chunk of stream)
      return String(chunk).startsWith('SSH-2.0-') ? undefined : 'something answers that is no ssh server';
    return (await lastWords()).trim() || 'the connection was closed before a greeting';
  } catch (error) {
    signal.throwIfAborted();
    return readMessage(error);
  } finally {
    limited.removeEventListener('abort', stop);
    stream.destroy();
  }
}

/** Why no ssh server of a lab host greets. */
export interface SshTrouble {
  what: string;
  /** The command that mends it, where that is known. */
  next: string | undefined;
  /** It said nothing in time: it may only be slow. */
  late: boolean;
}

/** Asks a lab host's ssh server for its greeting; undefined when it gives one. Rethrows the abort reason. */
export async function findSshTrouble(
  { lab, dial }: Pick<Endpoint, 'lab' | 'dial'>,
  limits: { timeoutMs: number; signal: AbortSignal },
): Promise<SshTrouble | undefined> {
  const began = performance.now();
  const said = await probeGreeting(dial, limits);
  if (said === undefined) return undefined;
  const { what, next } = parseScriptError(said);
  return { what, next: next && `${next} ${lab}`, late: performance.now() - began >= limits.timeoutMs };
}

/** An open seat: the place from which the grader runs its programs. See `Seat` in lab.ts. */
export interface OpenSeat {
  /** Runs an argv, its program given by an absolute path, and returns its bounded output. Throws as `Session.exec` does. */
  exec(argv: readonly string[], options?: ExecOptions): Promise<ExecResult>;
  /** Pid of the process whose mount namespace the learner sees. Null in tests: there it is the seat's own namespace. */
  viewPid: number | null;
  /** Starts an argv as `exec` does, writes `input` to its stdin and closes it. Gives the output as it comes. */
  stream(argv: readonly string[], input: string): Promise<SeatStream>;
  close(): void;
}

/** A program that runs at the seat. */
export interface SeatStream {
  /** Ends when the program has ended or can't be reached any more. */
  stdout: Readable;
  /** The end of the program's stderr, at most 4 KiB. */
  lastWords: () => Promise<string>;
  /** Ends the program. */
  close: () => void;
}

/** Opens the grader's seat. Throws as `connect` does. */
export async function openSeat(endpoint: Endpoint, options: ConnectOptions = {}): Promise<OpenSeat> {
  const { seat, lab } = endpoint;
  if ('dial' in seat) return makeSeat(await connect({ ...endpoint, dial: seat.dial }, options), seat.viewPid);
  return {
    viewPid: seat.viewPid,
    close: () => undefined,
    stream: (argv, input) => {
      const { stream, lastWords } = openPiped([...seat.argv, ...argv]);
      stream.end(input);
      return Promise.resolve({ stdout: stream, lastWords, close: () => void stream.destroy() });
    },
    exec: async (argv, given = {}) => {
      const next = `lab reset ${lab}`;
      const { code, stdout, stderr } = await run([...seat.argv, ...argv], { ...given, allowFailure: true, next });
      if (code === EX_UNAVAILABLE) throw labHostGone(stderr, lab);
      return { code, signal: null, stdout, stderr };
    },
  };
}

/** The seat's command ends with this exit code, from sysexits(3), when its lab host is gone. */
const EX_UNAVAILABLE = 69;

function labHostGone(stderr: string, lab: string): LabError {
  const { what, next = 'lab reset' } = parseScriptError(stderr);
  return new LabError({ what: what || 'the lab host is gone', where: lab, next: `${next} ${lab}` });
}

/** Makes a seat of a session. Closing the seat closes the session. */
export const makeSeat = (session: Session, viewPid: number): OpenSeat => ({
  viewPid,
  close: () => session.close(),
  exec: (argv, options) => session.exec(argv, options),
  stream: async (argv, input) => {
    const remote = await session.stream(quoteAll(argv));
    const tail = keepTail(remote.stderr);
    const ended = once(remote.stderr, 'end');
    remote.stdin.end(input);
    const lastWords = async (): Promise<string> => {
      await ended;
      return tail();
    };
    return { stdout: remote.stdout, lastWords, close: () => void remote.close() };
  },
});
