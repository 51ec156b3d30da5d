import { styleText } from 'node:util';
import { asciiJson, renderCsvTable, escapeText, markup, wrap } from './escape.ts';
import { renderHtml } from './html.ts';
import { listDetails, type Report, type ReportedCheck, renderSummary, renderTrail } from './report.ts';

/** Properties of the terminal. `columns` 0: not known. */
export interface TextOptions {
  color: boolean;
  columns: number;
}

const words = { pass: 'ok', fail: 'FAIL', skipped: 'skip', error: 'ERROR' } as const;
const colors = { pass: 'green', fail: 'red', skipped: 'gray', error: 'yellow' } as const;
/** At most this many lines of evidence are printed per check. The JSON report has all of them. */
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
        ...renderHintLines(check, width - 10).map((line) => `          ${line}`),
      );
    }
  }
  if (shared !== undefined) lines.push('', ...wrap(`error: ${escapeText(shared)}`, width));
  const found = report.integrity.findings.flatMap(({ what }) => wrap(`integrity: ${escapeText(what)}`, width));
  if (found.length > 0) lines.push('', ...found);
  return `${[...lines, '', renderSummary(report)].join('\n')}\n`;
}

/** The reason that all checks in error share. It is printed once, at the end. */
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
    ...[renderTrail(check) ?? []].flat(),
  ].map(escapeText);
}

/** The lines of a hint. Commands are never wrapped, so that they can be typed. */
function renderHintLines({ verdict, hint }: ReportedCheck, width: number): string[] {
  if (verdict !== 'fail' || hint === null) return [];
  const [first = '', ...rest] = hint.split('\n').map(escapeText);
  if (rest.length === 0 && !first.startsWith('# ')) return wrap(`hint:     ${first}`, width);
  return ['hint:', first, ...rest];
}

const fit = (text: string, width: number): string => (text.length > width ? `${text.slice(0, width - 1)}…` : text);

/** The report as data: docs/schema/report.json. */
export const renderJson = (report: Report): string => asciiJson(report);

/**
 * JUnit XML for Jenkins, GitLab and similar tools: one testsuite per chapter. `failure` is the learner's, `error` ours,
 * `skipped` an unmet need. Each tool has its own XML schema; this uses only the parts that they share.
 */
function renderJunit(report: Report): string {
  const suites = report.summary.chapters.map((chapter) => renderSuite(chapter, report));
  const attributes = { name: `handwired ${report.lab}`, ...countVerdicts(report.checks) };
  return ['<?xml version="1.0" encoding="UTF-8"?>', ...element('testsuites', attributes, suites.flat()), ''].join('\n');
}

function renderSuite(
  { id, number, title, points, of }: Report['summary']['chapters'][number],
  report: Report,
): string[] {
  const own = report.checks.filter(({ chapter }) => chapter === id);
  const { digest, findings } = report.integrity;
  const known: [name: string, value: string][] = [
    ['lab', report.lab],
    ['driver', report.driver],
    ['points', points === null ? 'not graded' : String(points)],
    ['of', String(of)],
    ['digest', digest],
    ...findings.map((finding): [string, string] => [`integrity.${finding.id}`, finding.what]),
  ];
  const properties = known.flatMap(([name, value]) => element('property', { name, value }, []));
  return element('testsuite', { name: `${number} ${title}`, ...countVerdicts(own), time: 0 }, [
    ...element('properties', {}, properties),
    ...own.flatMap(renderCase),
  ]);
}

const countVerdicts = (checks: readonly ReportedCheck[]): Record<string, number> => {
  const count = (verdict: ReportedCheck['verdict']): number =>
    checks.filter((check) => check.verdict === verdict).length;
  return { tests: checks.length, failures: count('fail'), errors: count('error'), skipped: count('skipped') };
};

const outcomes = { fail: 'failure', error: 'error', skipped: 'skipped' } as const;

function renderCase(check: ReportedCheck): string[] {
  const attributes = { classname: `handwired.${check.chapter}`, name: `${check.id}: ${check.title}`, time: 0 };
  if (check.verdict === 'pass') return element('testcase', attributes, []);
  const message = check.verdict === 'fail' ? check.actual : (check.because ?? '');
  // Some readers show only the message of a skipped test.
  if (check.verdict === 'skipped') return element('testcase', attributes, element('skipped', { message }, []));
  const body = listDetails(check).flatMap(({ name, lines }) => lines.map((line) => markup(`${name}: ${line}`)));
  const content = [
    `<${outcomes[check.verdict]}${renderAttributes({ message, type: check.verdict })}>${body.join('\n')}`,
  ];
  return element('testcase', attributes, [`${content.join('')}</${outcomes[check.verdict]}>`]);
}

function element(name: string, attributes: Record<string, string | number>, inside: readonly string[]): string[] {
  const open = `<${name}${renderAttributes(attributes)}`;
  return inside.length === 0 ? [`${open}/>`] : [`${open}>`, ...inside, `</${name}>`];
}

const renderAttributes = (attributes: Record<string, string | number>): string =>
  Object.entries(attributes)
    .map(([name, value]) => ` ${name}="${markup(escapeText(String(value)))}"`)
    .join('');

/**
 * TAP version 14, which readers of 13 take as well. A skipped check is `ok # SKIP`; our own error is `not ok` with
 * `severity: error` in its YAML, as TAP has no other word for it.
 */
function renderTap(report: Report): string {
  const { checks, integrity } = report;
  const head = ['TAP version 14', checks.length === 0 ? '1..0 # SKIP nothing has been begun' : `1..${checks.length}`];
  const notes = [
    ...integrity.findings.map(({ id, what }) => `integrity ${id}: ${what}`),
    renderSummary(report),
    `digest ${integrity.digest}`,
  ];
  return [...head, ...checks.flatMap(renderPoint), ...notes.map((note) => `# ${escapeText(note)}`), ''].join('\n');
}

function renderPoint(check: ReportedCheck, at: number): string[] {
  const { id, title, verdict, because } = check;
  const point = `${at + 1} - ${word(`${id}: ${title}`)}`;
  if (verdict === 'pass') return [`ok ${point}`];
  if (verdict === 'skipped') return [`ok ${point} # SKIP ${word(because ?? '')}`];
  const mark = verdict === 'error' ? ` ${word('# ERROR')}` : '';
  return [`not ok ${point}${mark}`, ...diagnostics(check)];
}

/** Escapes backslash and hash, the two characters that a TAP description must not contain unescaped. */
const word = (text: string): string => escapeText(text).replaceAll(/[\\#]/g, String.raw`\$&`);

/** YAML that the simplest readers understand: only keys and single-quoted scalars of one line. */
function diagnostics(check: ReportedCheck): string[] {
  const fields = listDetails(check).map(({ name, lines }) => `${name}: ${quoted(lines.join(' | '))}`);
  const message = check.verdict === 'error' ? check.because : check.actual;
  const head = [`message: ${quoted(escapeText(message ?? ''))}`, `severity: ${check.verdict}`];
  return ['---', ...head, ...fields, '...'].map((line) => `  ${line}`);
}

const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/** Separates lines in one CSV cell. Programs read line breaks in cells differently. */
const LINE = ' | ';

const csvColumns: Record<string, (check: ReportedCheck) => string> = {
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

/** One row per check. An empty cell under `points` means that the check is in error and was not graded. It is not 0. */
function renderCsv(report: Report): string {
  const rows = report.checks.map((check) => [
    report.lab,
    report.driver,
    ...Object.values(csvColumns).map((of) => of(check)),
  ]);
  const table = [
    ['lab', 'driver', ...Object.keys(csvColumns), 'digest'],
    ...rows.map((row) => [...row, report.integrity.digest]),
  ];
  return renderCsvTable(table.map((row) => row.map((cell) => escapeText(cell))));
}

/** Every output format of a report; the first is the default. */
export const formats = {
  text: renderText,
  json: renderJson,
  junit: renderJunit,
  tap: renderTap,
  csv: renderCsv,
  html: renderHtml,
} satisfies Record<string, (report: Report, options: TextOptions) => string>;

/** The name of an output format. */
export type FormatName = keyof typeof formats;

/** A report in one of the formats. */
export const renderReport = (report: Report, format: FormatName, options: TextOptions): string =>
  formats[format](report, options);

/**
 * The changes from one report to the next, one line per check: `egress.ct1: fail -> pass`. A check that fails now is
 * followed by what was found and the hint. The new sum comes last. Without changes the text is empty.
 */
export function renderMoves(before: Report, after: Report): string {
  const was = new Map(before.checks.map(({ id, verdict }) => [id, verdict]));
  const now = new Set(after.checks.map(({ id }) => id));
  const moved = after.checks.filter(({ id, verdict }) => was.get(id) !== verdict);
  const left = before.checks.filter(({ id }) => !now.has(id));
  if (moved.length + left.length === 0) return '';
  const lines = [
    ...moved.flatMap((check) => [
      `${check.id}: ${was.get(check.id) ?? 'none'} -> ${check.verdict}`,
      ...describeWhy(check),
    ]),
    ...left.map(({ id, verdict }) => `${id}: ${verdict} -> none`),
    renderSummary(after),
  ];
  return `${lines.map(escapeText).join('\n')}\n`;
}

function describeWhy({ verdict, actual, hint, because }: ReportedCheck): string[] {
  if (verdict === 'error') return [`  because: ${because ?? ''}`];
  if (verdict !== 'fail') return [];
  return [
    `  actual:  ${actual}`,
    ...(hint ?? '').split('\n').flatMap((line) => (line === '' ? [] : [`  hint:    ${line}`])),
  ];
}
