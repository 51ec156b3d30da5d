import type { ChapterId } from '@handwired/host';
import type { Facts } from '../facts/facts.ts';
import type { Case, ChapterChecks, Check } from '../queries/check.ts';
import { findLeftovers } from '../queries/leftovers.ts';
import { addressing } from './addressing.ts';
import { bridge } from './bridge.ts';
import { cleanup } from './cleanup.ts';
import { connectivity } from './connectivity.ts';
import { dns } from './dns.ts';
import { docker } from './docker.ts';
import { egress } from './egress.ts';
import { namespaces } from './namespaces.ts';
import { observe } from './observe.ts';
import { publish } from './publish.ts';
import { troubleshoot } from './troubleshoot.ts';
import { veth } from './veth.ts';

/** Every chapter that has checks, in the order of the course. */
const chapters: readonly ChapterChecks[] = [
  namespaces,
  bridge,
  veth,
  addressing,
  connectivity,
  egress,
  dns,
  publish,
  observe,
  docker,
  troubleshoot,
  cleanup,
];

/** Every check, in the order of the course; a check comes after those that it needs. */
export const checks: readonly Check[] = chapters.flatMap((chapter) => chapter.checks);

/** The checks of some chapters with all that they need, directly or not, in order. */
export function selectWithNeeds(wantedChapters: ReadonlySet<string>): Check[] {
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
export function findBegun({ facts, baseline, plan, record }: Omit<Case, 'evidence'>): ChapterId[] {
  const signs = { facts, baseline, plan, record, differences: findLeftovers(facts, baseline) };
  const begun = chapters.filter(({ isBegun }) => isBegun(signs));
  const built = Object.keys(record.begun).some((chapter) => chapter !== 'cleanup');
  if (built && !begun.some(({ standing }) => standing)) return ['cleanup'];
  return begun.map(({ chapter }) => chapter);
}

/** Names of the learner's links and namespaces that are here now. */
export function findNames(facts: Facts, baseline: Facts): string[] {
  const known = new Set([...baseline.here.links, ...baseline.namespaces].map(({ name }) => name));
  return [...facts.here.links, ...facts.namespaces].map(({ name }) => name).filter((name) => !known.has(name));
}
