import { type Report, sumPoints } from '@handwired/checker';
import { type ChapterId, type ChapterInfo, EXIT, hasFolder, LabError } from '@handwired/host';
import { chapters as course } from '@handwired/labs';
import {
  type ChapterFlags,
  createChapterOption,
  type Context,
  type LabCommand,
  createThroughOption,
} from '../../command.ts';
import {
  addFleetOptions,
  describeError,
  type FleetOptions,
  forEachStudent,
  computeGradeLimit,
  loadRoster,
  measureMachine,
  type Outcome,
  renderFleetCommand,
  renderStudents,
} from '../../fleet/roster.ts';
import { lastNetworkChapter } from '../../lab/build.ts';
import { gradeLab } from '../../lab/grade.ts';
import { withLock } from '../../lab/open.ts';

/**
 * `lab fleet grade`: grades all labs in parallel. Each student gets a row in the gradebook, even when other labs
 * fail.
 */
export const command: LabCommand = {
  example: 'lab fleet grade roster.csv',
  declare: (command) =>
    addFleetOptions(command)
      .addOption(createChapterOption('only this chapter (default: all that build the network)'))
      .addOption(createThroughOption('all chapters up to this one')),
  run: runGrade,
};

async function runGrade(context: Context, file: string, options: FleetOptions & ChapterFlags): Promise<number> {
  context.resume = renderFleetCommand('grade', file, options);
  const students = await loadRoster(file, options.prefix);
  const chapters = selectGraded(options);
  const limit = options.jobs ?? computeGradeLimit((await measureMachine()).cores);
  const outcomes = await forEachStudent(students, limit, context, async ({ lab }, own) => {
    if (!(await hasFolder(lab))) throw createNoLabError(lab, renderFleetCommand('up', file, options));
    return own.progress.stage('graded', () => withLock(lab, own, () => gradeLab(lab, options, own)));
  });
  const rows = outcomes.map((outcome) => createRow(outcome, chapters));
  context.print(renderGradebook(rows, chapters, options.output));
  if (rows.some(({ verdict }) => verdict === 'error')) return EXIT.fault;
  return rows.every(({ verdict }) => verdict === 'pass') ? EXIT.ok : EXIT.failed;
}

/** The error for a student without a lab. Its next command is not `lab up`, which would give the lab the default plan. */
const createNoLabError = (lab: string, next: string): LabError =>
  new LabError({ what: `there is no lab named ${lab}`, next, exit: EXIT.config });

/**
 * The chapters that are the gradebook's columns: those that the flags name, else those of the network. Chapter
 * cleanup can't pass while the network stands.
 */
function selectGraded({ chapter, through }: ChapterFlags): typeof course {
  if (chapter !== undefined) return course.filter(({ id }) => id === chapter);
  const last = course.findIndex(({ id }) => id === (through ?? lastNetworkChapter));
  return course.filter(({ points }, at) => at <= last && points > 0);
}

/** Points of a chapter. `error`: the chapter could not be graded, which is not the same as 0 points. */
type Points = number | 'error';

/** One student's line of the gradebook. */
export interface GradebookRow {
  student: string;
  lab: string;
  /** `pass`: all graded chapters pass; `fail`: some do not; `nothing`: none was begun; `error`: lab could not grade it. */
  verdict: 'pass' | 'fail' | 'nothing' | 'error';
  points: Points;
  maxPoints: number;
  chapters: Partial<Record<ChapterId, Points>>;
  /** What failed first, or why it could not be graded. */
  detail: string;
}

/** The gradebook's row for one student, made from the report on these chapters or from the error. */
export function createRow(outcome: Outcome<Report>, chapters: readonly ChapterInfo[]): GradebookRow {
  const { student, lab } = outcome;
  const maxPoints = chapters.reduce((sum, chapter) => sum + chapter.points, 0);
  if ('error' in outcome) {
    const nothingKnown = Object.fromEntries(chapters.map(({ id }) => [id, 'error' as const]));
    return {
      student,
      lab,
      verdict: 'error',
      points: 'error',
      maxPoints,
      chapters: nothingKnown,
      detail: describeError(outcome.error),
    };
  }
  const { checks, summary, exit } = outcome.value;
  const graded = new Map(summary.chapters.map(({ id, points }) => [id, points ?? ('error' as const)]));
  const points = chapters.map(({ id }) => graded.get(id) ?? 0);
  const verdict = verdicts[exit];
  const total = sumPoints(points.map((value) => (value === 'error' ? 0 : value)));
  const bad = checks.find((check) => check.verdict === (verdict === 'error' ? 'error' : 'fail'));
  return {
    student,
    lab,
    verdict: verdict === 'pass' && total < maxPoints ? 'fail' : verdict,
    points: verdict === 'error' ? 'error' : total,
    maxPoints,
    chapters: Object.fromEntries(chapters.map(({ id }, at) => [id, points[at]])),
    detail: bad ? `${bad.title}: ${bad.because ?? bad.actual}` : listUnbegun(chapters, graded),
  };
}

/** A report's exit code as a verdict. */
const verdicts = { 0: 'pass', 1: 'fail', 2: 'nothing', 3: 'error' } as const;

function listUnbegun(chapters: readonly ChapterInfo[], graded: ReadonlyMap<ChapterId, Points>): string {
  const missing = chapters.filter(({ id }) => !graded.has(id)).map(({ id }) => id);
  return missing.length === 0 ? '' : `not begun: ${missing.join(' ')}`;
}

/** The gradebook in one of the formats. */
export function renderGradebook(
  rows: readonly GradebookRow[],
  chapters: readonly ChapterInfo[],
  format: FleetOptions['output'],
): string {
  const head = ['student', 'lab', ...chapters.map(({ id }) => id), 'points', 'max', 'verdict', 'detail'];
  const cells = rows.map((row) => [
    row.student,
    row.lab,
    ...chapters.map(({ id }) => String(row.chapters[id] ?? 'error')),
    String(row.points),
    String(row.maxPoints),
    row.verdict,
    row.detail,
  ]);
  return renderStudents(rows, head, cells, format);
}
