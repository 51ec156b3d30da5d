import { derivePlan, EXIT, exists, labDir, LabError, quote, type ChapterId } from '@handwired/host';
import { ensureSetup } from '@handwired/infra';
import { chapters } from '@handwired/labs';
import type { Context } from '../context.ts';
import { forEachStudent, reasonOf, type Outcome } from '../fleet/each.ts';
import { renderGradebook, rowOf } from '../fleet/gradebook.ts';
import { gradeLimit, machineNow, upLimit } from '../fleet/limits.ts';
import { renderRows, type Format, type Row } from '../fleet/rows.ts';
import { loadRoster } from '../fleet/roster.ts';
import { takeDown } from '../lab/destroy.ts';
import { lastOfNetwork } from '../lab/chapters.ts';
import { gradeLab } from '../lab/grade.ts';
import { withLock } from '../lab/lock.ts';
import { bringUp, choose } from '../lab/up.ts';
import { defaultPrefix, type UpOptions } from '../options.ts';
import { statusOf } from './status.ts';

/** Flags of every fleet command. `jobs`: how many labs at once, in place of what memory and cores allow. */
export interface FleetOptions {
  prefix: string;
  output: Format;
  jobs?: number;
}

/** `lab fleet up`: a lab for each student, each with a plan derived from the student. */
export async function runFleetUp(context: Context, file: string, options: FleetOptions & UpOptions): Promise<number> {
  context.resume = `${typed('up', file, options)}   (goes on from here)`;
  const students = await loadRoster(file, options.prefix);
  const driver = await choose(options, context);
  await ensureSetup(driver.name, context);
  const limit = options.jobs ?? upLimit(driver.name, options.memory ?? 512, await machineNow());
  const wanted: UpOptions = { ...flagsOf(options), driver: driver.name };
  const outcomes = await forEachStudent(students, limit, context, ({ student, lab }, own) =>
    own.progress.stage('lab up', () =>
      withLock(lab, own, () => bringUp(lab, wanted, own, { plan: derivePlan(student), driver })),
    ),
  );
  const rows = outcomes.map((outcome): Row => {
    const { student, lab } = outcome;
    if ('error' in outcome) return { student, lab, state: 'error', detail: reasonOf(outcome.error) };
    const { plan } = outcome.value.spec;
    return { student, lab, state: 'up', detail: `subnet ${plan.subnet}, port ${plan.hostPort}` };
  });
  context.print(renderRows(rows, options.output));
  return exitOf(outcomes);
}

/** A fleet command as one would type it again. */
const typed = (word: string, file: string, { prefix }: FleetOptions): string =>
  `lab fleet ${word} ${quote(file)}${prefix === defaultPrefix ? '' : ` --prefix ${prefix}`}`;

/** Not `lab up` of that lab: it would give the student the plan of no student. */
const noLab = (lab: string, next: string): LabError =>
  new LabError({ what: `there is no lab named ${lab}`, next, exit: EXIT.config });

function flagsOf({ uri, condition, cpus, memory }: UpOptions): UpOptions {
  const given = { uri, condition, cpus, memory };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

/** `lab fleet status`: each student's lab as `lab status` sees it. */
export async function runFleetStatus(context: Context, file: string, options: FleetOptions): Promise<number> {
  const students = await loadRoster(file, options.prefix);
  const outcomes = await forEachStudent(students, gradeLimit(1), context, async ({ lab }) =>
    (await exists(labDir(lab)))
      ? statusOf(lab, context.signal)
      : { state: 'absent', detail: `next: ${typed('up', file, options)}` },
  );
  const rows = outcomes.map((outcome): Row => {
    const { student, lab } = outcome;
    if ('error' in outcome) return { student, lab, state: 'error', detail: reasonOf(outcome.error) };
    return { student, lab, state: outcome.value.state, detail: outcome.value.detail };
  });
  context.print(renderRows(rows, options.output));
  return exitOf(outcomes);
}

/** `lab fleet grade`: all labs graded in parallel; one gradebook row for each student, whatever happens to the others. */
export async function runFleetGrade(
  context: Context,
  file: string,
  options: FleetOptions & { chapter?: ChapterId; through?: ChapterId },
): Promise<number> {
  context.resume = typed('grade', file, options);
  const students = await loadRoster(file, options.prefix);
  const graded = gradedChapters(options);
  const limit = options.jobs ?? gradeLimit((await machineNow()).cores);
  const outcomes = await forEachStudent(students, limit, context, async ({ lab }, own) => {
    if (!(await exists(labDir(lab)))) throw noLab(lab, typed('up', file, options));
    return own.progress.stage('graded', () => withLock(lab, own, () => gradeLab(lab, options, own)));
  });
  const rows = outcomes.map((outcome) => rowOf(outcome, graded));
  context.print(renderGradebook(rows, graded, options.output));
  if (rows.some(({ verdict }) => verdict === 'error')) return EXIT.fault;
  return rows.every(({ verdict }) => verdict === 'pass') ? EXIT.ok : EXIT.failed;
}

/** The gradebook's columns: those asked for, else the network's; cleanup can't be right while the network stands. */
function gradedChapters({ chapter, through }: { chapter?: ChapterId; through?: ChapterId }): typeof chapters {
  if (chapter !== undefined) return chapters.filter(({ id }) => id === chapter);
  const last = chapters.findIndex(({ id }) => id === (through ?? lastOfNetwork));
  return chapters.filter(({ points }, at) => at <= last && points > 0);
}

/** `lab fleet destroy`: every lab of the roster is gone; those that don't exist are no error. */
export async function runFleetDestroy(context: Context, file: string, options: FleetOptions): Promise<number> {
  context.resume = `${typed('destroy', file, options)}   (goes on from here)`;
  const students = await loadRoster(file, options.prefix);
  const { cores } = await machineNow();
  const outcomes = await forEachStudent(students, options.jobs ?? cores * 2, context, ({ lab }, own) =>
    own.progress.stage('lab destroy', () => withLock(lab, own, () => takeDown(lab, own))),
  );
  const rows = outcomes.map((outcome): Row => {
    const { student, lab } = outcome;
    if ('error' in outcome) return { student, lab, state: 'error', detail: reasonOf(outcome.error) };
    const count = outcome.value.length;
    return {
      student,
      lab,
      state: count === 0 ? 'absent' : 'gone',
      detail: count === 0 ? '' : `removed ${count} things`,
    };
  });
  context.print(renderRows(rows, options.output));
  return exitOf(outcomes);
}

const exitOf = (outcomes: readonly Outcome<unknown>[]): number =>
  outcomes.some((outcome) => 'error' in outcome) ? EXIT.fault : EXIT.ok;
