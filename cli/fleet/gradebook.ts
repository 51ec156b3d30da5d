import type { Report } from '@handwired/checker';
import type { ChapterId, ChapterInfo } from '@handwired/host';
import { stringify } from 'csv-stringify/sync';
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
  const { checks } = outcome.value;
  const points = new Map(chapters.map((chapter) => [chapter.id, pointsOf(chapter, checks)]));
  const unknown = [...points.values()].includes('error');
  const total = [...points.values()].reduce<number>((sum, value) => sum + (value === 'error' ? 0 : value), 0);
  const bad = checks.find(({ verdict }) => verdict === (unknown ? 'error' : 'fail'));
  return {
    student,
    lab,
    verdict: unknown ? 'error' : checks.length === 0 ? 'nothing' : bad ? 'fail' : 'pass',
    points: unknown ? 'error' : total,
    maxPoints,
    chapters: Object.fromEntries(points),
    detail: bad ? `${bad.title}: ${bad.actual ?? ''}` : '',
  };
}

/** All of a chapter's points when each of its checks passes, none when one does not; not begun: none. */
function pointsOf(chapter: ChapterInfo, checks: Report['checks']): Points {
  const own = checks.filter((check) => check.chapter === chapter.id);
  if (own.some(({ verdict }) => verdict === 'error')) return 'error';
  return own.length > 0 && own.every(({ verdict }) => verdict === 'pass') ? chapter.points : 0;
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
  return stringify(table, { escape_formulas: true, record_delimiter: 'unix' }).trimEnd();
}
