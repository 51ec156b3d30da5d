import { csvOf } from './cells.ts';
import { escapeText } from './escape.ts';
import type { Report, ReportedCheck } from './report.ts';

/** Between lines of one cell: a line break there is read in as many ways as there are readers. */
const LINE = ' | ';

const columns: Record<string, (check: ReportedCheck) => string> = {
  chapter: ({ chapter }) => chapter,
  check: ({ id }) => id,
  title: ({ title }) => title,
  verdict: ({ verdict }) => verdict,
  points: ({ points }) => (points === null ? '' : String(points)),
  of: ({ of }) => String(of),
  expected: ({ expected }) => expected,
  actual: ({ actual }) => actual,
  because: ({ because }) => because ?? '',
  cause: ({ diagnosis }) => diagnosis?.cause ?? '',
  hint: ({ hint }) => hint?.replaceAll('\n', LINE) ?? '',
  evidence: ({ evidence }) => evidence.join(LINE),
};

/** A row a check. An empty cell under `points` is a check in error: it was not graded, which is no zero. */
export function renderCsv(report: Report): string {
  const rows = report.checks.map((check) => [
    report.lab,
    report.driver,
    ...Object.values(columns).map((of) => of(check)),
  ]);
  const table = [
    ['lab', 'driver', ...Object.keys(columns), 'digest'],
    ...rows.map((row) => [...row, report.integrity.digest]),
  ];
  return csvOf(table.map((row) => row.map((cell) => escapeText(cell))));
}
