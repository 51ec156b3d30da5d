import { styleText } from 'node:util';
import { escapeText } from './escape.ts';
import { summaryOf, trailOf } from './parts.ts';
import type { Report, ReportedCheck } from './report.ts';
import { wrap } from './wrap.ts';

export interface TextOptions {
  color: boolean;
  columns: number;
}

const words = { pass: 'ok', fail: 'FAIL', skipped: 'skip', error: 'ERROR' } as const;
const colors = { pass: 'green', fail: 'red', skipped: 'gray', error: 'yellow' } as const;
/** Lines of evidence under one check; the JSON report has all of them. */
const EVIDENCE_LINES = 8;

/** The report for a terminal: a line per check grouped by chapter, details only for what failed. */
export function renderText(report: Report, { color, columns }: TextOptions): string {
  const width = Math.max(60, Math.min(columns || 80, 160));
  const paint = (style: (typeof colors)[keyof typeof colors] | 'bold', text: string): string =>
    color ? styleText(style, text, { validateStream: false }) : text;
  if (report.checks.length === 0) return `${report.lab}: nothing has been begun, so there is nothing to check.\n`;
  const lines: string[] = [];
  const shared = sharedReason(report.checks);
  for (const chapter of report.summary.chapters) {
    const points = `${chapter.points ?? '-'}/${chapter.of}`;
    lines.push(paint('bold', `${chapter.number} ${escapeText(chapter.title)}  ${points}`));
    for (const check of report.checks.filter((entry) => entry.chapter === chapter.id)) {
      lines.push(
        `  ${paint(colors[check.verdict], words[check.verdict].padEnd(5))} ${fit(escapeText(check.title), width - 8)}`,
      );
      lines.push(
        ...details(check, shared)
          .flatMap((line) => wrap(line, width - 10))
          .map((line) => `          ${line}`),
        ...hintOf(check, width - 10).map((line) => `          ${line}`),
      );
    }
  }
  if (shared !== undefined) lines.push('', ...wrap(`error: ${escapeText(shared)}`, width));
  const found = report.integrity.findings.flatMap(({ what }) => wrap(`integrity: ${escapeText(what)}`, width));
  if (found.length > 0) lines.push('', ...found);
  return `${[...lines, '', summaryOf(report)].join('\n')}\n`;
}

/** A reason that all checks in error have in common is said once, at the end. */
function sharedReason(checks: readonly ReportedCheck[]): string | undefined {
  const reasons = new Set(checks.filter(({ verdict }) => verdict === 'error').map(({ because }) => because));
  return reasons.size === 1 ? ([...reasons][0] ?? undefined) : undefined;
}

function details(check: ReportedCheck, shared: string | undefined): string[] {
  if (check.verdict === 'error') return check.because === shared ? [] : [`because: ${escapeText(check.because ?? '')}`];
  if (check.verdict !== 'fail') return [];
  const evidence = check.evidence.slice(0, EVIDENCE_LINES);
  const more = check.evidence.length - evidence.length;
  return [
    `expected: ${check.expected}`,
    `actual:   ${check.actual}`,
    ...evidence.map((line) => `- ${line}`),
    ...(more > 0 ? [`- and ${more} more (-o json)`] : []),
    ...[trailOf(check) ?? []].flat(),
  ].map(escapeText);
}

/** Commands stay on lines of their own, whatever the width: they are there to be typed. */
function hintOf({ verdict, hint }: ReportedCheck, width: number): string[] {
  if (verdict !== 'fail' || hint === null) return [];
  const [first = '', ...rest] = hint.split('\n').map(escapeText);
  if (rest.length === 0 && !first.startsWith('# ')) return wrap(`hint:     ${first}`, width);
  return ['hint:', first, ...rest];
}

const fit = (text: string, width: number): string => (text.length > width ? `${text.slice(0, width - 1)}…` : text);
