import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultPlan } from '@handwired/host';
import { failWithError, runChecks } from '../judge/run.ts';
import { readCase, chapters, checks, type State } from '../testing/fixtures.ts';
import { escapeText } from './escape.ts';
import { renderJson, renderText } from './formats.ts';
import { Report, makeReport, sharePoints, sumPoints } from './report.ts';

test('Shares add up to the whole, to the hundredth, whatever the weights', () => {
  for (const whole of [1, 5, 10, 20, 33]) {
    for (let count = 1; count < 40; count += 1) {
      const weights = Array.from({ length: count }, (_, n) => 1 + ((n * 7) % 5) / 2);
      const shares = sharePoints(whole, weights);
      assert.equal(sumPoints(shares), whole);
      const total = weights.reduce((sum, weight) => sum + weight, 0);
      for (const [at, share] of shares.entries()) {
        assert.ok(Math.abs(share - (whole * (weights[at] ?? 0)) / total) < 0.01);
      }
    }
  }
});

test('Equal weights differ by a hundredth at most, and the earlier ones have it', () => {
  assert.deepEqual(sharePoints(10, [1, 1, 1, 1, 1, 1]), [1.67, 1.67, 1.67, 1.67, 1.66, 1.66]);
  assert.deepEqual(sharePoints(10, [1, 1, 1]), [3.34, 3.33, 3.33]);
});

test('A weight of three counts three times', () => {
  assert.deepEqual(sharePoints(20, [3, 1]), [15, 5]);
});

test('No checks, no shares', () => {
  assert.deepEqual([sharePoints(10, []), sumPoints([])], [[], 0]);
});

const digest = '0'.repeat(64);
const built = chapters.slice(0, -1);
const reportFor = (state: State): Report =>
  makeReport({
    lab: 'lab',
    driver: 'sandbox',
    plan: defaultPlan,
    chapters: built,
    outcomes: runChecks(checks, readCase(state)),
    digest,
  });
const text = (report: Report, columns = 100): string => renderText(report, { color: false, columns });

test('A report that passes is one line a check and one a chapter', () => {
  const report = reportFor('right');
  assert.equal(text(report).trimEnd().split('\n').length, report.checks.length + built.length + 2);
  const line = `${report.checks.length} pass, 0 fail, 0 skipped; 80 of 80 points\n`;
  assert.ok(text(report).endsWith(line), line);
});

test('Only what failed has details, and no line is wider than the terminal', () => {
  const shown = text(reportFor('seed'), 80);
  assert.equal(shown.match(/expected:/g)?.length, 5);
  assert.ok(shown.split('\n').every((line) => line.length <= 80));
});

test('Colour is there only when asked for', () => {
  assert.doesNotMatch(text(reportFor('seed')), /\u001b/);
  assert.match(renderText(reportFor('seed'), { color: true, columns: 80 }), /\u001b\[31mFAIL/);
});

test('What a lab host said can neither steer a terminal nor reorder its text', () => {
  const report = reportFor('seed');
  const check = report.checks.find(({ verdict }) => verdict === 'fail');
  if (check) check.actual = '\u001b]0;owned\u0007\u009b31m\u202egnp.exe\u2066\u200b\r\nok   all passes\u{e0041}';
  const shown = text(report);
  assert.match(shown, /\\u\{1b\}\]0;owned\\u\{7\}\\u\{9b\}31m\\u\{202e\}gnp/);
  assert.doesNotMatch(shown, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/);
  assert.match(renderJson(report), /^[\n -~]*$/);
  assert.deepEqual(JSON.parse(renderJson(report)), report);
  assert.equal(escapeText('héllo → ✓'), 'héllo → ✓');
});

test('Exit codes: error before fail, fail and skipped before pass, nothing at all', () => {
  const right = runChecks(checks, readCase('right'));
  const exit = (outcomes: typeof right): number =>
    makeReport({ lab: 'l', driver: 'vm', plan: defaultPlan, chapters: built, outcomes, digest }).exit;
  assert.equal(exit(right), 0);
  const [first, second, ...rest] = right;
  assert.ok(first && second);
  assert.equal(exit([{ ...first, verdict: 'skipped' }, second, ...rest]), 1);
  assert.equal(exit([{ ...first, verdict: 'fail' }, { ...second, verdict: 'error' }, ...rest]), 3);
  assert.equal(exit([]), 2);
});

test('Points are shares of a chapter; a chapter in error has none, and is not zero', () => {
  const { summary } = reportFor('seed');
  assert.deepEqual(
    summary.chapters.map(({ points }) => points),
    [10, 10, 10, 10, 8, 10, 8.33, 4.29],
  );
  const outcomes = failWithError(checks, 'the connection was lost');
  const broken = makeReport({ lab: 'lab', driver: 'vm', plan: defaultPlan, chapters: built, outcomes, digest });
  assert.deepEqual([broken.summary.points, broken.summary.chapters[0]?.points, broken.exit], [null, null, 3]);
  assert.equal(text(broken).match(/the connection was lost/g)?.length, 1);
});

test("Each check's points add up to its chapter's, by weight; a check in error has none", () => {
  const { checks: reported, summary } = reportFor('seed');
  for (const chapter of summary.chapters) {
    const own = reported.filter((check) => check.chapter === chapter.id);
    assert.equal(sumPoints(own.map(({ of }) => of)), chapter.of);
    assert.equal(sumPoints(own.map(({ points }) => points ?? 0)), chapter.points);
    for (const { verdict, points, of } of own) assert.equal(points, verdict === 'pass' ? of : 0);
  }
  const outcomes = runChecks(checks, readCase('seed')).map((outcome) => {
    const heavy = outcome.check.id === 'publish.server' ? 5 : 1;
    return { ...outcome, check: { ...outcome.check, weight: heavy } };
  });
  const weighted = makeReport({ lab: 'lab', driver: 'vm', plan: defaultPlan, chapters: built, outcomes, digest });
  assert.deepEqual(
    [weighted.checks.find(({ id }) => id === 'publish.server')?.of, weighted.summary.points],
    [4.54, 72.69],
  );
});
