/** Words that POSIX sh or bash reads as grammar, and not as a command's name, where a command may stand. */
const reserved = new Set(
  'case coproc do done elif else esac fi for function if in select then time until while'.split(' '),
);

/** Characters that mean nothing to a shell anywhere in a word. */
const plain = /^[\w@%+=:,./-]+$/;

/** `NAME=`, which in front of a command is an assignment. */
const assignment = /^[A-Za-z_]\w*\+?=/;

/**
 * Quotes one word for POSIX sh (dash too): zx's own quote emits `$'..'`, which only bash reads.
 * Throws TypeError on a NUL, which no argument can hold (execve(2)).
 */
export function quote(word: string): string {
  if (word.includes('\0')) throw new TypeError(`an argument can't hold a NUL: ${JSON.stringify(word)}`);
  if (plain.test(word) && !reserved.has(word) && !assignment.test(word)) return word;
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

/** One command line for POSIX sh from an argv. */
export const quoteAll = (argv: readonly string[]): string => argv.map(quote).join(' ');
