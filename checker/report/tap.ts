import { escapeText } from './escape.ts';
import { detailsOf, summaryOf } from './parts.ts';
import type { Report, ReportedCheck } from './report.ts';

/**
 * TAP version 14, which readers of 13 take as well. A skipped check is `ok # SKIP`; our own error is `not ok` with
 * `severity: error` in its YAML, as TAP has no other word for it.
 */
export function renderTap(report: Report): string {
  const { checks, integrity } = report;
  const head = ['TAP version 14', checks.length === 0 ? '1..0 # SKIP nothing has been begun' : `1..${checks.length}`];
  const notes = [
    ...integrity.findings.map(({ id, what }) => `integrity ${id}: ${what}`),
    summaryOf(report),
    `digest ${integrity.digest}`,
  ];
  return [...head, ...checks.flatMap(pointOf), ...notes.map((note) => `# ${escapeText(note)}`), ''].join('\n');
}

function pointOf(check: ReportedCheck, at: number): string[] {
  const { id, title, verdict, because } = check;
  const point = `${at + 1} - ${word(`${id}: ${title}`)}`;
  if (verdict === 'pass') return [`ok ${point}`];
  if (verdict === 'skipped') return [`ok ${point} # SKIP ${word(because ?? '')}`];
  const mark = verdict === 'error' ? ` ${word('# ERROR')}` : '';
  return [`not ok ${point}${mark}`, ...diagnostics(check)];
}

/** A backslash and a hash are the two characters that a description must not have as they are. */
const word = (text: string): string => escapeText(text).replaceAll(/[\\#]/g, String.raw`\$&`);

/** Of YAML only what the smallest readers know: keys, and single-quoted scalars of one line. */
function diagnostics(check: ReportedCheck): string[] {
  const fields = detailsOf(check).map(({ name, lines }) => `${name}: ${quoted(lines.join(' | '))}`);
  const message = check.verdict === 'error' ? check.because : check.actual;
  const head = [`message: ${quoted(escapeText(message ?? ''))}`, `severity: ${check.verdict}`];
  return ['---', ...head, ...fields, '...'].map((line) => `  ${line}`);
}

const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`;
