import type { Endpoint } from './endpoint.ts';
import { run } from './process.ts';
import { connect, type ConnectOptions, type ExecOptions, type ExecResult, type Session } from './session.ts';

/** The grader's place to run its programs from: see `Seat` in endpoint.ts. */
export interface OpenSeat {
  /** Runs an argv, its program given by an absolute path, and returns its bounded output. Errors as of `Session.exec`. */
  exec(argv: readonly string[], options?: ExecOptions): Promise<ExecResult>;
  /** The process whose mount namespace is what the learner sees; null: there is no seat, what is seen here is just that. */
  viewPid: number | null;
  close(): void;
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
    exec: async (argv, given = {}) => {
      const { code, ...said } = await run([...way, ...argv], {
        ...given,
        allowFailure: true,
        next: `lab reset ${lab}`,
      });
      return { code, signal: null, ...said };
    },
  };
}

/** A seat at the other end of a session, which is closed with it. */
export const seatOver = (session: Session, viewPid: number | null): OpenSeat => ({
  viewPid,
  close: () => session.close(),
  exec: (argv, options) => session.exec(argv, options),
});
