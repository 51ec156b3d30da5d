import { setMaxListeners } from 'node:events';
import type { Progress } from '@handwired/host';
import { createProgress } from './progress.ts';

/** What every command gets: how to tell, how to print, when to stop. It is a `Work` for infra as it stands. */
export interface Context {
  readonly signal: AbortSignal;
  readonly progress: Progress;
  /** Prints a result on stdout, with a newline. All else goes to stderr. */
  print(text: string): void;
  /** Writes bytes of a result on stdout as they are. */
  write(bytes: Uint8Array): void;
  /** Colour on stdout is wanted: a terminal, and no NO_COLOR (no-color.org). */
  readonly color: boolean;
  /** Characters a line on stdout; 100 where it is no terminal. */
  readonly columns: number;
  /** What to type after an interruption; a command sets it once it knows. */
  resume: string | undefined;
}

/** The context of this process, bound to its own stdout and stderr. */
export function createContext(signal: AbortSignal): Context {
  // Every session, process and stage listens on the one signal: a fleet has more than ten of them.
  setMaxListeners(0, signal);
  return {
    signal,
    progress: createProgress(process.stderr),
    print: (text) => void process.stdout.write(`${text}\n`),
    write: (bytes) => void process.stdout.write(bytes),
    color: wantsColor(process.stdout, process.env),
    columns: process.stdout.columns || 100,
    resume: undefined,
  };
}

/** Whether colours are welcome on a stream: NO_COLOR, then FORCE_COLOR, then whether it is a terminal that can show them. */
export function wantsColor({ isTTY }: { isTTY?: boolean }, env: NodeJS.ProcessEnv): boolean {
  if (env.NO_COLOR) return false;
  if (env.FORCE_COLOR) return env.FORCE_COLOR !== '0';
  // Not `isTTY &&`: a pipe has no isTTY at all, and picocolors takes undefined for "find out", which CI=true makes a yes.
  return isTTY === true && env.TERM !== 'dumb';
}
