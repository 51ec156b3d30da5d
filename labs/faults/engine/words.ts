import { faults } from '../registry.ts';

const tokensOf = (text: string): string[] => text.toLowerCase().match(/[a-z0-9_]+/g) ?? [];

const negations = new Set(['not', 'no', 'never', 'isn', 'doesn', 'don', 'aren', 'without', 'neither', 'nor']);

/** A word of an entry also means a longer one that begins with it, unless it is so short that many do. */
const means = (word: string, token: string): boolean => (word.length < 3 ? token === word : token.startsWith(word));

/** A word that denies is about what it stands before, with at most one word between: `no server`, not `no answer of the server`. */
const denies = (negation: string, word: string, text: readonly string[]): boolean =>
  text.some((token, at) => token === negation && text.slice(at + 1, at + 3).some((next) => means(word, next)));

/** How many words of an entry a text has, if it has all of them. */
function matched(entry: string, text: readonly string[]): number {
  const words = tokensOf(entry);
  const has = (word: string, at: number): boolean => {
    const next = words[at + 1];
    if (negations.has(word) && next !== undefined) return denies(word, next, text);
    return text.some((token) => means(word, token));
  };
  if (!words.every(has)) return 0;
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
  for (const { cause, title, words } of faults) {
    const score = Math.max(0, ...[title, ...words].map((entry) => matched(entry, tokens)));
    if (score > (scores.get(cause) ?? 0)) scores.set(cause, score);
  }
  const best = Math.max(0, ...scores.values());
  return [...scores].filter(([, score]) => score === best).map(([cause]) => cause);
}
