import type { Case } from './case.ts';
import { rightCleanups } from './cleanups.ts';
import { hiddenFaults, mutatedBuilds, mutatedCleanups } from './mutated.ts';
import { rightBuilds } from './right.ts';
import { wrongBuilds, wrongCleanups } from './wrong.ts';

/** The whole corpus, always in the same order. */
export function allCases(): Case[] {
  const lists = [rightCleanups(), mutatedBuilds(), hiddenFaults(), mutatedCleanups(), wrongBuilds(), wrongCleanups()];
  return [...rightBuilds(), ...lists.flat()];
}
