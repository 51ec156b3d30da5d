/** Questions about the course's chapters, which are an argument: the checker knows none by itself. */
import type { ChapterId } from '@handwired/host';
import type { Facts } from '../facts/facts.ts';
import type { Case, Check, GradedChapter } from './check.ts';
import { findLeftovers } from './leftovers.ts';

/** Every check of some chapters, in the order of the course; a check comes after those that it needs. */
export const listChecks = (chapters: readonly GradedChapter[]): Check[] => chapters.flatMap(({ checks }) => checks);

/** The checks of the wanted chapters with all that they need of the others, directly or not, in order. */
export function selectWithNeeds(chapters: readonly GradedChapter[], wantedChapters: ReadonlySet<ChapterId>): Check[] {
  const checks = listChecks(chapters);
  const wanted = new Set(checks.filter(({ chapter }) => wantedChapters.has(chapter)).map(({ id }) => id));
  for (const check of checks.toReversed()) {
    if (wanted.has(check.id)) for (const id of [...check.needs, ...(check.passNeeds ?? [])]) wanted.add(id);
  }
  return checks.filter(({ id }) => wanted.has(id));
}

/**
 * Which chapters a learner has begun, by the signs that each chapter has. When the record shows that things were built and
 * nothing of the standing chapters is there now, that is cleanup, and only cleanup.
 */
export function findBegun(
  chapters: readonly GradedChapter[],
  { facts, baseline, plan, record }: Omit<Case, 'evidence'>,
): ChapterId[] {
  const signs = { facts, baseline, plan, record, differences: findLeftovers(facts, baseline) };
  const begun = chapters.filter(({ isBegun }) => isBegun(signs));
  const built = Object.keys(record.begun).some((chapter) => chapter !== 'cleanup');
  if (built && !begun.some(({ standing }) => standing)) return ['cleanup'];
  return begun.map(({ id }) => id);
}

/** Names of the learner's links and namespaces that are here now. */
export function findNames(facts: Facts, baseline: Facts): string[] {
  const known = new Set([...baseline.here.links, ...baseline.namespaces].map(({ name }) => name));
  return [...facts.here.links, ...facts.namespaces].map(({ name }) => name).filter((name) => !known.has(name));
}
