import { escapeText } from './escape.ts';
import { markup } from './markup.ts';
import { detailsOf } from './parts.ts';
import type { Report, ReportedCheck } from './report.ts';

/**
 * JUnit XML as Jenkins, GitLab and their like read it: a testsuite a chapter, `failure` is the learner's, `error` ours,
 * `skipped` an unmet need. There is one XML schema a tool; this is in the parts that they share.
 */
export function renderJunit(report: Report): string {
  const suites = report.summary.chapters.map((chapter) => suiteOf(chapter, report));
  const attributes = { name: `handwired ${report.lab}`, ...countsOf(report.checks) };
  return ['<?xml version="1.0" encoding="UTF-8"?>', ...element('testsuites', attributes, suites.flat()), ''].join('\n');
}

function suiteOf({ id, number, title, points, of }: Report['summary']['chapters'][number], report: Report): string[] {
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
  return element('testsuite', { name: `${number} ${title}`, ...countsOf(own), time: 0 }, [
    ...element('properties', {}, properties),
    ...own.flatMap(caseOf),
  ]);
}

const countsOf = (checks: readonly ReportedCheck[]): Record<string, number> => {
  const count = (verdict: ReportedCheck['verdict']): number =>
    checks.filter((check) => check.verdict === verdict).length;
  return { tests: checks.length, failures: count('fail'), errors: count('error'), skipped: count('skipped') };
};

const outcomes = { fail: 'failure', error: 'error', skipped: 'skipped' } as const;

function caseOf(check: ReportedCheck): string[] {
  const attributes = { classname: `handwired.${check.chapter}`, name: `${check.id}: ${check.title}`, time: 0 };
  if (check.verdict === 'pass') return element('testcase', attributes, []);
  const message = check.verdict === 'fail' ? check.actual : (check.because ?? '');
  // Of a skipped one some readers take the message alone.
  if (check.verdict === 'skipped') return element('testcase', attributes, element('skipped', { message }, []));
  const body = detailsOf(check).flatMap(({ name, lines }) => lines.map((line) => markup(`${name}: ${line}`)));
  const told = [`<${outcomes[check.verdict]}${attributesOf({ message, type: check.verdict })}>${body.join('\n')}`];
  return element('testcase', attributes, [`${told.join('')}</${outcomes[check.verdict]}>`]);
}

function element(name: string, attributes: Record<string, string | number>, inside: readonly string[]): string[] {
  const open = `<${name}${attributesOf(attributes)}`;
  return inside.length === 0 ? [`${open}/>`] : [`${open}>`, ...inside, `</${name}>`];
}

const attributesOf = (attributes: Record<string, string | number>): string =>
  Object.entries(attributes)
    .map(([name, value]) => ` ${name}="${markup(escapeText(String(value)))}"`)
    .join('');
