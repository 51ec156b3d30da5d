/** Quotes one word for POSIX sh (dash too): zx's own quote emits `$'..'`, which only bash reads. */
export function quote(word: string): string {
  if (word !== '' && /^[\w@%+=:,./-]+$/.test(word)) return word;
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

/** One command line for POSIX sh from an argv. */
export const quoteAll = (argv: readonly string[]): string => argv.map(quote).join(' ');
