import type { Command } from 'commander';

/** The command that an argv names, as words: `fleet up roster.csv` gives `fleet`, `up`. */
export function commandOf(program: Command, argv: readonly string[]): string[] {
  return descend(program, argv).path;
}

function descend(program: Command, argv: readonly string[]): { path: string[]; at: Command } {
  const path: string[] = [];
  let at = program;
  for (const word of argv) {
    const next = at.commands.find((command) => command.name() === word);
    if (!next) break;
    path.push(word);
    at = next;
  }
  return { path, at };
}

/**
 * `help fleet up` and `fleet help up` as `fleet up --help`: commander reads one word behind `help` and does not mind a
 * wrong one. A word that is no command is left for it to complain about; nothing behind a command is run.
 */
export function helpAsFlag(program: Command, argv: readonly string[]): readonly string[] {
  const group = descend(program, argv);
  if (argv[group.path.length] !== 'help' || group.at.commands.length === 0) return argv;
  const words = [...group.path, ...argv.slice(group.path.length + 1)];
  const { path, at } = descend(program, words);
  const [unknown] = words.slice(path.length);
  return at.commands.length > 0 && unknown !== undefined ? [...path, unknown] : [...path, '--help'];
}
