import type { BlockEnd } from './root-shell.ts';
import type { ChapterResult, Failure } from './run.ts';

/** A line for the chapter, and what is wrong with it: the commands, and `-` what one should see, `+` what came. */
export function tell({ chapter, blocks, failures, ms }: ChapterResult): string {
  const verdict = failures.length === 0 ? 'ok  ' : 'FAIL';
  const head = `${verdict} ${chapter}: ${blocks} blocks, ${(ms / 1000).toFixed(1)} s`;
  return [head, ...failures.map(tellFailure)].join('\n');
}

function tellFailure({ where, commands, what, lines }: Failure): string {
  const compared = lines.map(({ mark, text }) => `    ${mark} ${text}`);
  return [`  ${where}: ${what}`, ...typed(commands), ...compared].join('\n');
}

const typed = (commands: string): string[] =>
  commands === '' ? [] : commands.split('\n').map((line) => `    $ ${line}`);

/** A block with what it printed. */
export function tellBlock(commands: string, { status, output }: BlockEnd, ms: number): string {
  const printed = output.split('\n').flatMap((line) => (line.trim() === '' ? [] : [`      ${line}`]));
  return [...typed(commands), ...printed, `      (exit ${status ?? 'none'}, ${Math.round(ms)} ms)`].join('\n');
}
