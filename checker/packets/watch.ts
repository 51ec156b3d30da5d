import { LabError, readMessage, type OpenSeat } from '@handwired/host';
import { streamRemote } from '../remote.ts';

/** Follows the changes of a lab host's network. */
export interface Watcher {
  /** Waits for a change. True: there was one since the last call. False: `ms` are over. Throws like watchLab. */
  changed(ms?: number): Promise<boolean>;
  close(): void;
}

/**
 * Seconds: `quiet` without events ends a batch, `most` is a batch's limit, `tick` is the interval for polling the rest.
 */
const pace = { quiet: 0.25, most: 2, tick: 5 };

/**
 * Starts to watch. After it returns, no change is missed. Every event only means "look again"; its contents are not
 * used.
 * Throws LabError when the watcher does not start or has ended. Rethrows the abort reason.
 */
export async function watchLab(seat: OpenSeat, signal: AbortSignal): Promise<Watcher> {
  let seen = 0;
  let taken = 1;
  let wake: () => void = () => undefined;
  let lost: Error | undefined;
  const program = await streamRemote(seat, 'watch', pace, () => {
    seen += 1;
    wake();
  });
  const end = (error: unknown): void => {
    lost ??= error instanceof Error ? error : new Error(readMessage(error));
    wake();
  };
  const abort = (): void => end(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  void program.ended.then(
    (said) =>
      end(new LabError({ what: `the lab host can't be watched any more${said && `: ${said}`}`, next: 'lab up' })),
    end,
  );
  const until = (enough: () => boolean, ms?: number): Promise<boolean> =>
    new Promise((resolve, reject) => {
      const timer = ms === undefined ? undefined : setTimeout(() => settle(() => resolve(false)), ms);
      const settle = (how: () => void): void => {
        clearTimeout(timer);
        wake = () => undefined;
        how();
      };
      wake = () => {
        const why = lost;
        if (why !== undefined) settle(() => reject(why));
        else if (enough()) settle(() => resolve(true));
      };
      wake();
    });
  const close = (): void => {
    signal.removeEventListener('abort', abort);
    program.close();
  };
  try {
    if (!(await until(() => seen > 0, 30_000))) {
      throw new LabError({ what: 'the lab host can not be watched: nothing came in 30 s', next: 'lab reset' });
    }
  } catch (error) {
    close();
    throw error;
  }
  return {
    close,
    changed: async (ms) => {
      const came = await until(() => seen > taken, ms);
      taken = seen;
      return came;
    },
  };
}
