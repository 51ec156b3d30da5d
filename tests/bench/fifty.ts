import { writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { measureMachine, computeUpLimit } from '../../cli/fleet/roster.ts';
import { add, note } from './figures.ts';
import { time } from './time.ts';

const count = 50;

/** How far each student got: of five, three built all of it, one half of it, and one nothing. */
const shares = ['all', 'all', 'all', 'addressing', 'nothing'] as const;

const shareOf = (at: number): (typeof shares)[number] => shares[at % shares.length] ?? 'nothing';

interface Row {
  student: string;
  lab: string;
  verdict: string;
  points: number | 'error';
  chapters: Record<string, number | 'error'>;
  detail: string;
}

/** Fifty sandboxes graded by one process: one after the other, and as many at once as it sees fit; the gradebook must be the same. */
export async function benchFifty(state: string): Promise<void> {
  const machine = await measureMachine();
  const fit = computeUpLimit('sandbox', 256, { ...machine, cores: count });
  if (fit < count) {
    note(`fifty labs at once were not graded: memory (${machine.freeMiB.toFixed(0)} MiB) is for ${fit}`);
    return;
  }
  const roster = join(state, 'roster.csv');
  const students = Array.from({ length: count }, (_, at) => `student-${at}`);
  await writeFile(roster, ['student', ...students, ''].join('\n'));
  const up = await time(['fleet', 'up', roster, '--driver', 'sandbox', '--memory', '256', '-o', 'json']);
  note(`lab fleet up of ${count} sandboxes: ${up.seconds.toFixed(1)} s`);
  await buildAll(rowsOf(up.stdout));
  const grade = (...jobs: string[]) => time(['fleet', 'grade', roster, ...jobs, '-o', 'json'], 1);
  const alone = await grade('--jobs', '1');
  const together = await grade();
  const [first, second] = [rowsOf(alone.stdout), rowsOf(together.stdout)];
  const changed = second.filter(
    (row, at) => !isDeepStrictEqual(row, first[at]) || (row.verdict === 'pass') !== (shareOf(at) === 'all'),
  );
  add(`${count} labs graded by one process, verdicts that differ from those of one at a time`, changed.length, 0, '');
  add(`peak memory of grading ${count} labs`, together.peakMb, 150, 'MB');
  note(
    `${count} labs graded by one process on ${availableParallelism()} cores: ${together.seconds.toFixed(1)} s, and ${alone.seconds.toFixed(1)} s one at a time`,
  );
  for (const row of changed) note(`changed: ${JSON.stringify(row)}`);
  await time(['fleet', 'destroy', roster]);
}

const rowsOf = (stdout: string): Row[] => (JSON.parse(stdout) as { students: Row[] }).students;

/** As many builds at a time as there are cores. */
async function buildAll(rows: readonly Row[]): Promise<void> {
  const waiting = rows.entries();
  const work = async (): Promise<void> => {
    for (const [at, { lab }] of waiting) {
      const share = shareOf(at);
      if (share === 'all') await time(['build', lab]);
      else if (share === 'addressing') await time(['build', lab, '--through', share]);
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, work));
}
