import { csvOf, type Report, totalOf } from '@handwired/checker';
import type { ChapterId, ChapterInfo } from '@handwired/host';
import { renderTable } from '../table.ts';
import { reasonOf, type Outcome } from './each.ts';

/** Points of one chapter; `error`: it could not be graded, which is no zero. */
type Points = number | 'error';

/** One student's line of the gradebook. */
export interface GradebookRow {
  student: string;
  lab: string;
  /** `pass`: all graded chapters; `fail`: some not; `nothing`: none was begun; `error`: ours, grade it again. */
  verdict: 'pass' | 'fail' | 'nothing' | 'error';
  points: Points;
  maxPoints: number;
  chapters: Partial<Record<ChapterId, Points>>;
  /** What failed first, or why it could not be graded. */
  detail: string;
}

/** The row for what became of grading one student's lab on these chapters. */
export function rowOf(outcome: Outcome<Report>, chapters: readonly ChapterInfo[]): GradebookRow {
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
      detail: reasonOf(outcome.error),
    };
  }
  const { checks, summary, exit } = outcome.value;
  const graded = new Map(summary.chapters.map(({ id, points }) => [id, points ?? ('error' as const)]));
  const points = chapters.map(({ id }) => graded.get(id) ?? 0);
  const verdict = verdicts[exit];
  const total = totalOf(points.map((value) => (value === 'error' ? 0 : value)));
  const bad = checks.find((check) => check.verdict === (verdict === 'error' ? 'error' : 'fail'));
  return {
    student,
    lab,
    verdict: verdict === 'pass' && total < maxPoints ? 'fail' : verdict,
    points: verdict === 'error' ? 'error' : total,
    maxPoints,
    chapters: Object.fromEntries(chapters.map(({ id }, at) => [id, points[at]])),
    detail: bad ? `${bad.title}: ${bad.because ?? bad.actual}` : unbegun(chapters, graded),
  };
}

/** A report's exit code as a verdict. */
const verdicts = { 0: 'pass', 1: 'fail', 2: 'nothing', 3: 'error' } as const;

function unbegun(chapters: readonly ChapterInfo[], graded: ReadonlyMap<ChapterId, Points>): string {
  const missing = chapters.filter(({ id }) => !graded.has(id)).map(({ id }) => id);
  return missing.length === 0 ? '' : `not begun: ${missing.join(' ')}`;
}

/** The gradebook in one of its formats. CSV: cells that a spreadsheet would run as a formula are escaped. */
export function renderGradebook(
  rows: readonly GradebookRow[],
  chapters: readonly ChapterInfo[],
  format: 'table' | 'csv' | 'json',
): string {
  if (format === 'json') return JSON.stringify({ schemaVersion: 1, students: rows }, null, 2);
  const head = ['student', 'lab', ...chapters.map(({ id }) => id), 'points', 'max', 'verdict'];
  const cells = rows.map((row) => [
    row.student,
    row.lab,
    ...chapters.map(({ id }) => String(row.chapters[id] ?? 'error')),
    String(row.points),
    String(row.maxPoints),
    row.verdict,
  ]);
  if (format === 'table')
    return renderTable(
      [...head, 'detail'],
      cells.map((line, at) => [...line, rows[at]?.detail ?? '']),
    );
  const table = [[...head, 'detail'], ...cells.map((line, at) => [...line, rows[at]?.detail ?? ''])];
  return csvOf(table).trimEnd();
}
