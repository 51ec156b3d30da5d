import { faults } from '../registry.ts';

const tokensOf = (text: string): string[] => text.toLowerCase().match(/[a-z0-9_]+/g) ?? [];

const negations = new Set(['not', 'no', 'never', 'isn', 'doesn', 'don', 'aren', 'without', 'neither', 'nor']);

/** Words of an entry, if the text has all of them; a word of an entry is also the beginning of a longer one. */
function matched(entry: string, text: readonly string[]): number {
  const words = tokensOf(entry);
  if (!words.every((word) => text.some((token) => token.startsWith(word)))) return 0;
  // What the text denies and the entry does not is another statement.
  const denied = text.some((token) => negations.has(token)) && !words.some((word) => negations.has(word));
  return denied ? 0 : words.length;
}

/**
 * The causes that a learner's own words may mean, the best match first. One: that is what they mean. Several that match as
 * well as each other, or none: it can't be told.
 */
export function understand(text: string): string[] {
  const tokens = tokensOf(text.slice(0, 400));
  const scores = new Map<string, number>();
  for (const { cause, words } of faults) {
    const score = Math.max(0, ...words.map((entry) => matched(entry, tokens)));
    if (score > (scores.get(cause) ?? 0)) scores.set(cause, score);
  }
  const best = Math.max(0, ...scores.values());
  return [...scores].filter(([, score]) => score === best).map(([cause]) => cause);
}
