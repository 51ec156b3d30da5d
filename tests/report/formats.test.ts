import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { parse as parseCsv } from 'csv-parse/sync';
import { parse as parseJunit, type TestSuites } from 'junit2json';
import { Parser as TapParser } from 'tap-parser';
import { formats, type Report, recordLab, renderReport, schemas } from '@handwired/checker';
import { gradedChapters as chapters } from '@handwired/labs/checks';
import { defaultPlan } from '@handwired/host';
import { emptyRecord } from '../../checker/record.ts';
import { readCase, recorded, replaying, states } from '../../checker/testing/fixtures.ts';
import { broken, hostile, hostileReport, nothingBegun, reportOf } from './reports.ts';

const options = { color: false, columns: 100 };
const all = (): [name: string, report: Report][] => [
  ...states.map((state): [string, Report] => [state, reportOf(state)]),
  ['broken', broken()],
  ['nothing', nothingBegun()],
  ['hostile', hostileReport()],
];
const count = ({ checks }: Report, verdict: string): number =>
  checks.filter((check) => check.verdict === verdict).length;

test('Every format that renders a report is in the list', () => {
  const folder = new URL('../../checker/report/', import.meta.url);
  const texts = readdirSync(folder).map((file) => readFileSync(new URL(file, folder), 'utf8'));
  const renderers = texts.flatMap((text) => [
    ...text.matchAll(/^(?:export )?(?:const|function) render(\w+)(?: = )?\(report: Report[,)]/gm),
  ]);
  const found = renderers.map(([, name = '']) => name.toLowerCase()).filter((name) => name !== 'report');
  assert.deepEqual(found.sort(), Object.keys(formats).sort());
});

test("JUnit: a parser finds a suite a chapter, the learner's failures, our errors, unmet needs", async () => {
  for (const [name, report] of all()) {
    const suites = (await parseJunit(renderReport(report, 'junit', options))) as TestSuites;
    assert.deepEqual(
      [suites.tests, suites.failures, suites.errors],
      [report.checks.length, count(report, 'fail'), count(report, 'error')],
      name,
    );
    const found = suites.testsuite ?? [];
    assert.deepEqual(
      found.map((suite) => [suite.name, suite.tests, suite.testcase?.length]),
      report.summary.chapters.map(({ id, number, title }) => {
        const own = report.checks.filter(({ chapter }) => chapter === id).length;
        return [`${number} ${title}`, own, own];
      }),
    );
    const cases = found.flatMap((suite) => suite.testcase ?? []);
    for (const [at, check] of report.checks.entries()) {
      const kinds = (['failure', 'error', 'skipped'] as const).filter((kind) => cases[at]?.[kind] !== undefined);
      const kind = { pass: [], fail: ['failure'], error: ['error'], skipped: ['skipped'] }[check.verdict];
      assert.deepEqual(kinds, kind, `${name} ${check.id}`);
      assert.ok(cases[at]?.name?.startsWith(`${check.id}: `));
    }
  }
});

test('JUnit: what a failure says can be read back', async () => {
  const report = reportOf('seed');
  const failed = report.checks.find(({ verdict }) => verdict === 'fail');
  const { testsuite } = (await parseJunit(renderReport(report, 'junit', options))) as TestSuites;
  const failure = testsuite
    ?.flatMap((suite) => suite.testcase ?? [])
    .find(({ name }) => name?.startsWith(failed?.id ?? '-'))?.failure?.[0];
  assert.equal(failure?.message, failed?.actual);
  assert.match(String(failure?.inner), /expected: .*\nactual: .*\nevidence: /);
});

test('TAP: a parser takes every line, in order, with its diagnostics', () => {
  for (const [name, report] of all()) {
    const text = renderReport(report, 'tap', options);
    const extra: string[] = [];
    const parser = new TapParser();
    parser.on('extra', (line: string) => extra.push(line));
    const points: { ok: boolean; id: number; name: string; skip: unknown; diag: { severity?: string } | null }[] = [];
    parser.on('assert', (point: (typeof points)[number]) => points.push(point));
    parser.end(text);
    assert.deepEqual(extra, [], name);
    assert.equal(parser.results?.count ?? 0, report.checks.length, name);
    assert.equal(parser.results?.bailout, false);
    for (const [at, check] of report.checks.entries()) {
      const point = points[at];
      assert.equal(point?.id, at + 1);
      assert.ok(point.name.startsWith(`${check.id}: `), point.name);
      assert.equal(point.ok, check.verdict === 'pass' || check.verdict === 'skipped');
      assert.equal(Boolean(point.skip), check.verdict === 'skipped', check.id);
      if (!point.ok) assert.equal(point.diag?.severity, check.verdict, check.id);
    }
  }
});

test('CSV: a row a check, every cell as it was, none a formula', () => {
  for (const [name, report] of all()) {
    const rows: Record<string, string>[] = parseCsv(renderReport(report, 'csv', options), { columns: true });
    assert.equal(rows.length, report.checks.length, name);
    for (const [at, check] of report.checks.entries()) {
      assert.deepEqual(
        [rows[at]?.check, rows[at]?.verdict, rows[at]?.points],
        [check.id, check.verdict, check.points === null ? '' : String(check.points)],
      );
      for (const cell of Object.values(rows[at] ?? {})) assert.doesNotMatch(cell, /^[=+\-@\t\r]/);
    }
  }
});

test('JSON: reports, facts and recordings are what the published schemas say', async () => {
  const ajv = new Ajv2020({ allErrors: true, strict: true, allowUnionTypes: true });
  const validators = Object.fromEntries(
    Object.keys(schemas()).map((name) => [name, ajv.compile(JSON.parse(published(name)) as object)]),
  );
  const valid = (name: string, value: unknown): void => {
    const validate = validators[name];
    assert.ok(validate);
    assert.equal(validate(JSON.parse(JSON.stringify(value))), true, JSON.stringify(validate.errors?.slice(0, 3)));
  };
  for (const [, report] of all()) valid('report', JSON.parse(renderReport(report, 'json', options)));
  for (const state of states) {
    const seat = replaying((program) => recorded(state)[program === 'facts' ? 'raw' : 'evidence']);
    const { baseline, facts } = readCase(state);
    const source = { seat, chapters, plan: defaultPlan, baseline, record: emptyRecord() };
    valid('facts', facts);
    valid('recording', await recordLab(source, { lab: 'lab', driver: 'vm' }));
    valid('recording', await recordLab(source, { lab: 'lab', driver: 'vm' }, { evidence: false }));
  }
  const wrong = { ...reportOf('right'), exit: 7 };
  assert.equal(validators.report?.(wrong), false);
});

const published = (name: string): string =>
  readFileSync(new URL(`../../docs/schema/${name}.json`, import.meta.url), 'utf8');

test('The published schemas are those of the program: node --import ./cli/loader.mjs scripts/schemas.ts writes them', () => {
  for (const [name, schema] of Object.entries(schemas())) {
    assert.deepEqual(JSON.parse(published(name)), JSON.parse(JSON.stringify(schema)), name);
  }
});

test('HTML: nothing that a lab host said becomes a part of the page', () => {
  const page = renderReport(hostileReport(), 'html', options);
  const tags = new Set([...page.matchAll(/<\/?([a-z0-9]+)/gi)].map((match) => match[1]?.toLowerCase()));
  assert.ok(!tags.has('script') && !tags.has('img') && !tags.has('testcase'));
  assert.doesNotMatch(page, /<[^>]*\s(on[a-z]+|src|srcdoc|style)=/i);
});

test('No format lets a text from a lab host steer a terminal, or loses it', () => {
  for (const format of Object.keys(formats) as (keyof typeof formats)[]) {
    const text = renderReport(hostileReport(), format, options);
    assert.doesNotMatch(
      text,
      /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069\ufffe\uffff]/,
      format,
    );
    assert.ok(text.includes('HYPERLINK'), format);
    assert.equal(hostile.length, 14);
  }
});
