import type { ChapterResult, Failure } from './run.ts';

/** A line for the chapter, and what is wrong with it: the commands, and `-` what one should see, `+` what came. */
export function tell({ chapter, blocks, failures, ms }: ChapterResult): string {
  const verdict = failures.length === 0 ? 'ok  ' : 'FAIL';
  const head = `${verdict} ${chapter}: ${blocks} blocks, ${(ms / 1000).toFixed(1)} s`;
  return [head, ...failures.map(tellFailure)].join('\n');
}

function tellFailure({ where, commands, what, lines }: Failure): string {
  const typed = commands === '' ? [] : commands.split('\n').map((line) => `    $ ${line}`);
  return [`  ${where}: ${what}`, ...typed, ...lines.map(({ mark, text }) => `    ${mark} ${text}`)].join('\n');
}
