import { escapeText } from './escape.ts';
import { summaryOf } from './parts.ts';
import type { Report, ReportedCheck } from './report.ts';

/**
 * What one report says otherwise than the one before it: `egress.ct1: fail -> pass`, a line a check, and below what fails
 * now what was found and the hint; then the new sum. Nothing when they say the same.
 */
export function renderMoves(before: Report, after: Report): string {
  const was = new Map(before.checks.map(({ id, verdict }) => [id, verdict]));
  const now = new Set(after.checks.map(({ id }) => id));
  const moved = after.checks.filter(({ id, verdict }) => was.get(id) !== verdict);
  const left = before.checks.filter(({ id }) => !now.has(id));
  if (moved.length + left.length === 0) return '';
  const lines = [
    ...moved.flatMap((check) => [`${check.id}: ${was.get(check.id) ?? 'none'} -> ${check.verdict}`, ...whyOf(check)]),
    ...left.map(({ id, verdict }) => `${id}: ${verdict} -> none`),
    summaryOf(after),
  ];
  return `${lines.map(escapeText).join('\n')}\n`;
}

function whyOf({ verdict, actual, hint, because }: ReportedCheck): string[] {
  if (verdict === 'error') return [`  because: ${because ?? ''}`];
  if (verdict !== 'fail') return [];
  return [
    `  actual:  ${actual}`,
    ...(hint ?? '').split('\n').flatMap((line) => (line === '' ? [] : [`  hint:    ${line}`])),
  ];
}
