/**
 * Damaged and strange input for everything that reads what a lab host or a file says. It takes two seconds;
 * HANDWIRED_FUZZ_TIMES=1000 makes a thousand times as many inputs.
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
import { readCase, chapters, checks, recorded, type State, states } from './testing/fixtures.ts';
import { alterValue, assertHolds, damageText, type Draw } from './testing/random.ts';

const times = Number(process.env['HANDWIRED_FUZZ_TIMES'] ?? 1);
const subject = { lab: 'lab', driver: 'sandbox' } as const;
const known = Object.fromEntries(states.map((state) => [state, readCase(state)])) as { [name in State]: Case };
const raws = Object.fromEntries(states.map((state) => [state, recorded(state).raw])) as { [name in State]: Raw };

const some = (draw: Draw): State => states[draw(states.length)] ?? 'right';

/** A test that a property holds for so many inputs, each within five seconds. */
function holds(title: string, runs: number, property: (draw: Draw) => void): void {
  test(title, () => {
    assertHolds(runs * times, (draw) => {
      const start = performance.now();
      property(draw);
      assert.ok(performance.now() - start < 5000, `it took ${Math.round(performance.now() - start)} ms`);
    });
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
  30,
  (draw) => {
    const raw = structuredClone(raws[some(draw)]);
    const sources = Object.values(raw.sources).flatMap((scope) => Object.values(scope));
    for (let count = draw(3) + 1; count > 0; count -= 1) {
      const source = sources[draw(sources.length)];
      if (source) source.out = damageText(source.out, draw);
    }
    const facts = assertRead(raw);
    const state = some(draw);
    diffFacts(known[state].facts, facts);
    if (draw(8) === 0) assertGraded({ ...known[state], facts });
  },
);

holds('A source of JSON with strange values in it is read, or told as a problem', 60, (draw) => {
  const raw = structuredClone(raws[some(draw)]);
  const sources = Object.values(raw.sources).flatMap((scope) =>
    ['ip', 'bridge', 'nft'].flatMap((name) => scope[name] ?? []),
  );
  const source = sources[draw(sources.length)];
  if (source) {
    const lines = source.out.split('\n');
    const n = draw(lines.length);
    if (lines[n]) lines[n] = JSON.stringify(alterValue(JSON.parse(lines[n]), draw));
    source.out = lines.join('\n');
  }
  assertRead(raw);
});

holds('A snapshot of strange shape is refused or read', 120, (draw) => {
  const raw = Raw.safeParse(alterValue(raws[some(draw)], draw));
  if (raw.success) assertRead(raw.data);
});

holds('Strange evidence is refused, or judged without a throw', 30, (draw) => {
  const state = some(draw);
  const evidence = Evidence.safeParse(alterValue(known[state].evidence, draw));
  if (!evidence.success) return;
  const lab = { ...known[state], evidence: evidence.data };
  for (const outcome of runChecks(checks, lab)) {
    assert.doesNotMatch(outcome.because ?? '', /the check itself failed: (?!the check reads)/, outcome.check.id);
  }
  if (draw(8) === 0) assertGraded(lab);
});

holds('Strange facts and records are refused, or judged without a throw', 80, (draw) => {
  const state = some(draw);
  const facts = Facts.safeParse(alterValue(known[state].facts, draw));
  const record = LabRecord.safeParse(alterValue(known[state].record, draw));
  if (!facts.success || !record.success) return;
  const lab = { ...known[state], facts: facts.data, record: record.data };
  for (const outcome of runChecks(checks, lab)) {
    assert.doesNotMatch(outcome.because ?? '', /the check itself failed/, outcome.check.id);
  }
  if (draw(8) === 0) assertGraded(lab);
});

holds(
  'A strange recording or report is refused with a LabError, or is read; an altered one is never graded',
  10,
  (draw) => {
    const state = some(draw);
    const whole = { schemaVersion: 1, ...subject, takenAt: '', ...known[state], digest: digestCase(known[state]) };
    const text = JSON.stringify(alterValue(whole, draw));
    try {
      const recording = readRecording(draw(4) === 0 ? damageText(text, draw) : text, 'x.json');
      const { summary, exit } = regradeRecording(recording, { chapters, through: 'publish' });
      if (digestCase(recording) !== whole.digest) assert.deepEqual([exit, summary.pass, summary.fail], [3, 0, 0]);
    } catch (error) {
      if (!(error instanceof LabError)) throw error;
    }
    const report = judgeCase(known[state], { chapters, through: 'publish' }, subject);
    const read = Report.safeParse(alterValue(report, draw));
    if (read.success) for (const render of Object.values(formats)) render(read.data, { color: false, columns: 80 });
  },
);
