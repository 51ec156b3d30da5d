import type { Readable } from 'node:stream';
import type { Endpoint } from './endpoint.ts';
import { LabError, parseScriptError } from './errors.ts';
import { openPiped, run } from './process.ts';
import { quoteAll } from './quote.ts';
import { connect, type ConnectOptions, type ExecOptions, type ExecResult, type Session } from './session.ts';

/** The grader's place to run its programs from: see `Seat` in endpoint.ts. */
export interface OpenSeat {
  /** Runs an argv, its program given by an absolute path, and returns its bounded output. Errors as of `Session.exec`. */
  exec(argv: readonly string[], options?: ExecOptions): Promise<ExecResult>;
  /** The process whose mount namespace is what the learner sees; null: there is no seat, what is seen here is just that. */
  viewPid: number | null;
  /** Starts such an argv, gives it `input` to its end, and hands out what it says as it comes. */
  stream(argv: readonly string[], input: string): Promise<SeatStream>;
  close(): void;
}

/** A program that runs on at the seat. */
export interface SeatStream {
  /** Ends when the program has ended or can't be reached any more. */
  stdout: Readable;
  /** The end of what it wrote to stderr. */
  lastWords: () => Promise<string>;
  /** Ends the program. */
  close: () => void;
}

/**
 * Opens the grader's seat. An endpoint of before there were seats: the learner's own root, over the learner's ssh server.
 * Throws LabError when it does not answer; rethrows the abort reason.
 */
export async function openSeat(endpoint: Endpoint, options: ConnectOptions = {}): Promise<OpenSeat> {
  const { seat, lab } = endpoint;
  if (!seat) return seatOver(await connect(endpoint, options), null);
  if ('dial' in seat.way) return seatOver(await connect({ ...endpoint, dial: seat.way.dial }, options), seat.viewPid);
  const { argv: way } = seat.way;
  return {
    viewPid: seat.viewPid,
    close: () => undefined,
    stream: (argv, input) => {
      const { stream, lastWords } = openPiped([...way, ...argv]);
      stream.end(input);
      return Promise.resolve({ stdout: stream, lastWords, close: () => void stream.destroy() });
    },
    exec: async (argv, given = {}) => {
      const { code, ...said } = await run([...way, ...argv], {
        ...given,
        allowFailure: true,
        next: `lab reset ${lab}`,
      });
      if (code === unreachable) throw wayEnded(said.stderr, lab);
      return { code, signal: null, ...said };
    },
  };
}

/** EX_UNAVAILABLE of sysexits(3): the exit code by which the seat's command says that its lab host is gone. */
const unreachable = 69;

function wayEnded(said: string, lab: string): LabError {
  const { what, next = 'lab reset' } = parseScriptError(said);
  return new LabError({ what: what || 'the lab host is gone', where: lab, next: `${next} ${lab}` });
}

/** A seat at the other end of a session, which is closed with it. */
export const seatOver = (session: Session, viewPid: number | null): OpenSeat => ({
  viewPid,
  close: () => session.close(),
  exec: (argv, options) => session.exec(argv, options),
  stream: async (argv, input) => {
    const remote = await session.stream(quoteAll(argv));
    const words = text(remote.stderr);
    remote.stdin.end(input);
    return { stdout: remote.stdout, lastWords: () => words, close: () => void remote.close() };
  },
});

/** What a stream says, its last 4 KiB. */
async function text(stream: Readable): Promise<string> {
  let end = '';
  for await (const chunk of stream) end = `${end}${String(chunk)}`.slice(-4096);
  return end;
}
