/**
 * Damaged and strange input for everything that reads what a lab host or a file says. Two seconds by default;
 * HANDWIRED_FUZZ_SECONDS=3600 for an hour's worth. Input n is the same in every run; a failure names it.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LabError } from '@handwired/host';
import { Evidence } from './evidence/evidence.ts';
import { diffFacts } from './facts/diff.ts';
import { Facts } from './facts/facts.ts';
import { parseFacts, Raw } from './facts/parse.ts';
import { digestCase, judgeCase } from './grading/grade.ts';
import { readRecording, regradeRecording } from './grading/recording.ts';
import { runChecks } from './judge/run.ts';
import type { Case } from './queries/check.ts';
import { LabRecord } from './record.ts';
import { formats } from './report/formats.ts';
import { Report } from './report/report.ts';
import { caseOf, chapters, checks, recorded, type State, states } from './testing/fixtures.ts';
import { altered, damagedOnce, random } from './testing/random.ts';

const seconds = Number(process.env['HANDWIRED_FUZZ_SECONDS'] ?? 2);
const subject = { lab: 'lab', driver: 'sandbox' } as const;
const known = Object.fromEntries(states.map((state) => [state, caseOf(state)])) as { [name in State]: Case };
const raws = Object.fromEntries(states.map((state) => [state, recorded(state).raw])) as { [name in State]: Raw };

type Numbers = (below: number) => number;
const some = (next: Numbers): State => states[next(states.length)] ?? 'right';

/** A test that a property holds for one input after the other, for its share of the time and for one at least. */
function holds(title: string, property: (next: Numbers) => void): void {
  test(title, (t) => {
    const end = performance.now() + (seconds * 1000) / 6;
    let n = 0;
    do {
      const start = performance.now();
      try {
        property(random(n));
      } catch (error) {
        throw new Error(`input ${n}: ${String(error)}`, { cause: error });
      }
      assert.ok(performance.now() - start < 5000, `input ${n} took ${Math.round(performance.now() - start)} ms`);
      n += 1;
    } while (performance.now() < end);
    t.diagnostic(`${n} inputs`);
  });
}

/** Whatever was read, it is graded, twice alike, and printed in every format. */
function assertGraded(lab: Case): void {
  const report = judgeCase(lab, { chapters, through: 'cleanup' }, subject);
  assert.deepEqual(judgeCase(lab, { chapters, through: 'cleanup' }, subject), report);
  assert.deepEqual(Report.parse(JSON.parse(JSON.stringify(report))), JSON.parse(JSON.stringify(report)));
  for (const [name, render] of Object.entries(formats)) {
    const text = render(report, { color: false, columns: 100 });
    // What steers a terminal or reorders its text.
    assert.doesNotMatch(text, /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/u, name);
  }
}

function assertRead(raw: Raw): Facts {
  const facts = parseFacts(raw);
  assert.deepEqual(Facts.parse(JSON.parse(JSON.stringify(facts))), facts, 'facts -> JSON -> facts');
  assert.deepEqual(diffFacts(facts, facts), []);
  return facts;
}

holds(
  'A snapshot whose sources are damaged is read, is itself again after JSON, and differs from itself in nothing',
  (next) => {
    const raw = structuredClone(raws[some(next)]);
    const sources = Object.values(raw.sources).flatMap((scope) => Object.values(scope));
    for (let count = next(3) + 1; count > 0; count -= 1) {
      const source = sources[next(sources.length)];
      if (source) source.out = damagedOnce(source.out, next);
    }
    const facts = assertRead(raw);
    const state = some(next);
    diffFacts(known[state].facts, facts);
    if (next(8) === 0) assertGraded({ ...known[state], facts });
  },
);

holds('A source of JSON with strange values in it is read, or told as a problem', (next) => {
  const raw = structuredClone(raws[some(next)]);
  const sources = Object.values(raw.sources).flatMap((scope) =>
    ['ip', 'bridge', 'nft'].flatMap((name) => scope[name] ?? []),
  );
  const source = sources[next(sources.length)];
  if (source) {
    const lines = source.out.split('\n');
    const n = next(lines.length);
    if (lines[n]) lines[n] = JSON.stringify(altered(JSON.parse(lines[n]), next));
    source.out = lines.join('\n');
  }
  assertRead(raw);
});

holds('A snapshot of strange shape is refused or read', (next) => {
  const raw = Raw.safeParse(altered(raws[some(next)], next));
  if (raw.success) assertRead(raw.data);
});

holds('Strange evidence is refused, or judged without a throw', (next) => {
  const state = some(next);
  const evidence = Evidence.safeParse(altered(known[state].evidence, next));
  if (!evidence.success) return;
  const lab = { ...known[state], evidence: evidence.data };
  for (const outcome of runChecks(checks, lab)) {
    assert.doesNotMatch(outcome.because ?? '', /the check itself failed: (?!the check reads)/, outcome.check.id);
  }
  if (next(8) === 0) assertGraded(lab);
});

holds('Strange facts and records are refused, or judged without a throw', (next) => {
  const state = some(next);
  const facts = Facts.safeParse(altered(known[state].facts, next));
  const record = LabRecord.safeParse(altered(known[state].record, next));
  if (!facts.success || !record.success) return;
  const lab = { ...known[state], facts: facts.data, record: record.data };
  for (const outcome of runChecks(checks, lab)) {
    assert.doesNotMatch(outcome.because ?? '', /the check itself failed/, outcome.check.id);
  }
  if (next(8) === 0) assertGraded(lab);
});

holds(
  'A strange recording or report is refused with a LabError, or is read; an altered one is never graded',
  (next) => {
    const state = some(next);
    const whole = { schemaVersion: 1, ...subject, takenAt: '', ...known[state], digest: digestCase(known[state]) };
    const text = JSON.stringify(altered(whole, next));
    try {
      const recording = readRecording(next(4) === 0 ? damagedOnce(text, next) : text, 'x.json');
      const { summary, exit } = regradeRecording(recording, { chapters, through: 'publish' });
      if (digestCase(recording) !== whole.digest) assert.deepEqual([exit, summary.pass, summary.fail], [3, 0, 0]);
    } catch (error) {
      if (!(error instanceof LabError)) throw error;
    }
    const report = judgeCase(known[state], { chapters, through: 'publish' }, subject);
    const read = Report.safeParse(altered(report, next));
    if (read.success) for (const render of Object.values(formats)) render(read.data, { color: false, columns: 80 });
  },
);
