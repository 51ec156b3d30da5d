import { defaultPlan, LabError } from '@handwired/host';
import { gradedChapters } from '@handwired/labs/checks';
import type { Report } from '@handwired/checker';
import { reportTrouble, judgeCase } from '../../checker/grading/grade.ts';
import { readCase, type State } from '../../checker/testing/fixtures.ts';
import { emptyRecord } from '../../checker/record.ts';

const subject = { lab: 'lab', driver: 'sandbox' } as const;
const built = gradedChapters.filter(({ id }) => id !== 'cleanup');

/** A recorded state, graded. */
export const reportOf = (state: State): Report =>
  judgeCase(readCase(state), { chapters: built, through: 'publish' }, subject);

/** The report of a lab host on which no chapter is begun. */
export const nothingBegun = (): Report =>
  judgeCase({ ...readCase('empty'), record: emptyRecord() }, { chapters: built }, subject);

/** A report in which every check ends in our own error. */
export function broken(): Report {
  const { baseline, record } = readCase('seed');
  const lost = new LabError({ what: 'the connection was lost', next: 'lab up' });
  const seen = { facts: null, evidence: null, baseline, plan: defaultPlan, record };
  return reportTrouble(seen, lost, { chapters: built, through: 'publish' }, subject);
}

/** Texts that a lab host may have in its names, commands and files, each meant for a reader that interprets it. */
export const hostile = [
  '<script>alert(1)</script><img src=x onerror=alert(1)>',
  '"><testcase name="mine"/></failure>&lt;&amp;&#0;]]><![CDATA[',
  '=HYPERLINK("http://203.0.113.77","pay")',
  '+1+cmd|calc!A1',
  '-2+3',
  '@SUM(1+1)',
  '\t=1+1',
  '\r=1+1',
  'one\nok 1 - forged # SKIP\n1..1\nBail out!\n  ...\n',
  '# TODO later \\# SKIP',
  '...\n---\nkey: [value',
  '\u001b]0;owned\u0007\u009b31m\u0000\ufffe\uffff\ud800',
  '\u202egnp.exe\u2066\u200b\u{e0041}',
  'quote " comma , semicolon ; newline\nend',
];

/** A report with one such text in every place that a lab host can reach. */
export function hostileReport(): Report {
  const report = reportOf('seed');
  report.checks.forEach((check, at) => {
    const text = hostile[at % hostile.length] ?? '';
    Object.assign(check, { actual: text, evidence: [text, ...hostile] });
    if (check.verdict !== 'pass') check.hint = `${text}\nip link set br0 up`;
    if (check.verdict === 'pass') check.title = text;
    if (check.verdict !== 'fail') return;
    const trail = [{ hop: text, passed: false }];
    check.diagnosis = { path: text, hop: text, cause: 'cause', seen: [text], trail };
  });
  const skipped = report.checks[3];
  if (skipped) Object.assign(skipped, { verdict: 'skipped', points: 0, because: hostile[8] });
  const error = report.checks[4];
  if (error) Object.assign(error, { verdict: 'error', points: null, because: hostile[1] });
  report.integrity.findings = hostile.map((what, at) => ({ id: `finding-${at}`, what }));
  return report;
}
