import { addressing } from './addressing.ts';
import { bridge } from './bridge.ts';
import type { Check } from '../queries/check.ts';
import { cleanup } from './cleanup.ts';
import { conditions } from './conditions.ts';
import { connectivity } from './connectivity.ts';
import { dns } from './dns.ts';
import { docker } from './docker.ts';
import { egress } from './egress.ts';
import { namespaces } from './namespaces.ts';
import { observe } from './observe.ts';
import { publish } from './publish.ts';
import { troubleshoot } from './troubleshoot.ts';
import { veth } from './veth.ts';

const under = (chapter: Check['chapter']): Check[] => conditions.filter((check) => check.chapter === chapter);

/** Every check, in the order of the course; a check comes after those that it needs. */
export const checks: readonly Check[] = [
  ...namespaces,
  ...bridge,
  ...veth,
  ...addressing,
  ...connectivity,
  ...under('connectivity'),
  ...egress,
  ...under('egress'),
  ...dns,
  ...under('dns'),
  ...publish,
  ...under('publish'),
  ...observe,
  ...docker,
  ...troubleshoot,
  ...cleanup,
];

/** The checks of some chapters with all that they need, directly or not, in order. */
export function closureOf(chapters: ReadonlySet<string>): Check[] {
  const wanted = new Set(checks.filter(({ chapter }) => chapters.has(chapter)).map(({ id }) => id));
  for (const check of checks.toReversed()) {
    if (wanted.has(check.id)) for (const id of [...check.needs, ...(check.passNeeds ?? [])]) wanted.add(id);
  }
  return checks.filter(({ id }) => wanted.has(id));
}
