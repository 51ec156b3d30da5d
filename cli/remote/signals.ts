import { constants } from 'node:os';

/** Signals that a terminal, an init system or a CI runner sends to a command it wants to end. */
const names = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const;

export type Caught = (typeof names)[number];

/** Gives these signals to `handler` in place of ending this process; returns what undoes that. */
export function catchSignals(handler: (name: Caught) => void): () => void {
  for (const name of names) process.on(name, handler);
  return () => {
    for (const name of names) process.off(name, handler);
  };
}

/** A shell's exit status for a command that ended by a signal (name with or without SIG): 128 + its number. */
export function statusOfSignal(name: string): number {
  const known: Partial<Record<string, number>> = constants.signals;
  return 128 + (known[name] ?? known[`SIG${name}`] ?? 127);
}
