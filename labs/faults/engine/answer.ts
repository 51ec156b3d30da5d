import type { Fault } from '../fault.ts';

/** What an answer is worth. */
interface Answered {
  /** It names each true cause and nothing else. */
  right: boolean;
  /** How many true causes it names, of how many. */
  named: number;
  of: number;
}

/** Judges the causes that a learner names against the faults that are in place. */
export function answered(open: readonly Fault[], causes: readonly string[]): Answered {
  const given = new Set(causes);
  const truth = new Set(open.map(({ cause }) => cause));
  const named = [...truth].filter((cause) => given.has(cause)).length;
  return { right: named === truth.size && given.size === truth.size, named, of: truth.size };
}
