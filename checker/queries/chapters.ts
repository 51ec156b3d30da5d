/** Queries about the course's chapters. The caller passes the chapters in: the checker itself knows none. */
import type { ChapterId } from '@handwired/host';
import type { Facts } from '../facts/facts.ts';
import type { Case, Check, GradedChapter } from './check.ts';
import { findLeftovers } from './leftovers.ts';

/** All checks of these chapters, in the order of the course. A check comes after the checks that it needs. */
export const listChecks = (chapters: readonly GradedChapter[]): Check[] => chapters.flatMap(({ checks }) => checks);

/** The checks of the wanted chapters, and all checks that they need, directly or indirectly, in order. */
export function selectWithNeeds(chapters: readonly GradedChapter[], wantedChapters: ReadonlySet<ChapterId>): Check[] {
  const checks = listChecks(chapters);
  const wanted = new Set(checks.filter(({ chapter }) => wantedChapters.has(chapter)).map(({ id }) => id));
  for (const check of checks.toReversed()) {
    if (wanted.has(check.id)) for (const id of [...check.needs, ...(check.passNeeds ?? [])]) wanted.add(id);
  }
  return checks.filter(({ id }) => wanted.has(id));
}

/**
 * Finds the chapters that a learner has begun, by the signs of each chapter. Gives only cleanup when the record shows
 * earlier building and no `standing` chapter is begun now.
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

/** Names of links and namespaces on the lab host that the baseline lacks. */
export function findNames(facts: Facts, baseline: Facts): string[] {
  const known = new Set([...baseline.here.links, ...baseline.namespaces].map(({ name }) => name));
  return [...facts.here.links, ...facts.namespaces].map(({ name }) => name).filter((name) => !known.has(name));
}
