import { wrapAnsi } from 'fast-wrap-ansi';

/** Wraps text at blanks, a long word anywhere. The first line begins with `first`, the others as far to the right. */
export function wrap(text: string, columns: number, first = '', others = ' '.repeat(first.length)): string[] {
  const lines = wrapAnsi(text, Math.max(10, columns - others.length), { hard: true }).split('\n');
  return lines.map((line, at) => `${at === 0 ? first : others}${line}`.trimEnd());
}

/** What goes before the rest of a command or of an output that did not fit on one line. */
const further = '    ';

/**
 * A command line as lines that can be copied as they are: folded at blanks outside of quotes, with `\` at the ends,
 * before an option or an operator if that does not make a line short. What can't be folded so stays long.
 */
export function foldCommand(line: string, columns: number): string[] {
  if (line.length <= columns || line.trimStart().startsWith('#')) return [line];
  const lines: string[] = [];
  let rest = wordsOf(line);
  while (rest.length > 0) {
    const before = lines.length === 0 ? '' : further;
    const fit = fitting(rest, columns - before.length);
    lines.push(before + rest.slice(0, fit).join(' '));
    rest = rest.slice(fit);
  }
  return lines.map((each, at) => (at < lines.length - 1 ? `${each} \\` : each));
}

/** What a line had better begin with, and how much of the line before must be full for it. */
const preferences: readonly [begins: RegExp, share: number][] = [
  [/^(\||&&)/, 0.4],
  [/^(-|!)/, 0.6],
];

/** How many of the words go on a line, one at least. */
function fitting(words: readonly string[], columns: number): number {
  if (words.join(' ').length <= columns) return words.length;
  const lengthOf = (count: number): number => words.slice(0, count).join(' ').length + ' \\'.length;
  let most = 1;
  while (most < words.length && lengthOf(most + 1) <= columns) most += 1;
  // A pipe or a list before an option, and that before any other word.
  for (const [begins, share] of preferences)
    for (let count = most; count > 1 && lengthOf(count) > columns * share; count -= 1)
      if (begins.test(words[count] ?? '') && words[count - 1] !== '!') return count;
  return most;
}

/** The words of a shell line, with quoted blanks inside words. The blanks at its start belong to the first. */
const wordsOf = (line: string): string[] =>
  line.match(/^\s*(?:'[^']*'|"(?:\\.|[^"\\])*"|\\.|\S)+|(?:'[^']*'|"(?:\\.|[^"\\])*"|\\.|[^\s'"\\])+|\S+/g) ?? [];

/** A block of commands; one with a here document stays as it is. */
export const foldCommands = (text: string, columns: number): string[] => {
  const lines = text.split('\n');
  return text.includes('<<') ? lines : lines.flatMap((line) => foldCommand(line, columns));
};

/** Output of a command: it keeps its blanks, and what is too long goes on further to the right. */
export const foldOutput = (text: string, columns: number): string[] =>
  text.split('\n').flatMap((line) => {
    if (line.length <= columns) return [line];
    const lines = wrapAnsi(line, columns - further.length, { hard: true, trim: false }).split('\n');
    return lines.map((each, at) => (at === 0 ? each : further + each.trimStart()).trimEnd());
  });

/** A path or a list of names: folded at slashes as well. */
export function foldPath(text: string, columns: number): string[] {
  const lines = [''];
  for (const piece of text.split(/(?<=[/ ])/)) {
    const joined = `${lines.at(-1) ?? ''}${piece}`;
    if (joined.trimEnd().length > columns && lines.at(-1) !== '') lines.push(piece);
    else lines[lines.length - 1] = joined;
  }
  return lines.map((line) => line.trimEnd());
}
