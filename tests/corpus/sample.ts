import type { Case } from './case.ts';

/** What a case is there for: its class, and the check that must catch it. */
const purposes = (one: Case): string[] => [
  `class ${one.class} ${one.grades}`,
  ...('fails' in one.expected ? [`check ${one.expected.fails}`] : []),
  ...('same' in one.expected ? ['no fault'] : []),
];

/** `count` cases that have every class, and every check that they have room for; always the same. */
export function sampleOf(cases: readonly Case[], count: number): Case[] {
  const seen = new Set<string>();
  const chosen: Case[] = [];
  for (let fresh = 2; fresh >= 0 && chosen.length < count; fresh -= 1) {
    for (const one of cases) {
      if (chosen.length === count) break;
      const added = purposes(one).filter((purpose) => !seen.has(purpose));
      if (added.length < fresh || chosen.includes(one)) continue;
      chosen.push(one);
      for (const purpose of added) seen.add(purpose);
    }
  }
  return cases.filter((one) => chosen.includes(one));
}
