import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultPlan, EXIT, LabError } from '@handwired/host';
import { emptyRecord } from '../record.ts';
import { readCase, chapters, recorded, replaying, type State } from '../testing/fixtures.ts';
import { digestCase, gradeSource } from './grade.ts';
import { mostBytes, readRecording, type Recording, recordLab, regradeRecording } from './recording.ts';

const subject = { lab: 'lab', driver: 'sandbox' } as const;

/** What `lab facts -o json` would print of a recorded state, and the case that it is of. */
async function taken(state: State, evidence = true) {
  const seat = replaying((program) => recorded(state)[program === 'facts' ? 'raw' : 'evidence']);
  const source = { seat, chapters, plan: defaultPlan, baseline: readCase('empty').baseline, record: emptyRecord() };
  const text = JSON.stringify(await recordLab(source, subject, { evidence }));
  return { source, text };
}

const reading = async (change: (recording: Recording) => unknown) => {
  const recording = JSON.parse((await taken('right')).text) as Recording;
  return JSON.stringify(change(recording) ?? recording);
};

const altered = (change: (recording: Recording) => unknown): Promise<string> =>
  reading((recording) => {
    change(recording);
    return undefined;
  });

const without = (name: keyof Recording): Promise<string> =>
  reading((recording) => Object.fromEntries(Object.entries(recording).filter(([key]) => key !== name)));

for (const state of ['right', 'seed', 'seed-cleaned', 'mixed', 'empty'] as const) {
  test(`A recording is graded as its lab host was: ${state}`, async () => {
    const { source, text } = await taken(state);
    for (const selection of [{ chapters }, { chapters, through: 'cleanup' }, { chapters, only: 'egress' }] as const) {
      const live = await gradeSource({ ...source, ...subject, ...selection });
      const again = regradeRecording(readRecording(text, 'x.json'), selection);
      assert.deepEqual({ ...again, integrity: live.integrity }, live);
    }
  });
}

test('A report carries the digest of what was graded, which a recording of the same has too', async () => {
  const { source, text } = await taken('right');
  const recording = readRecording(text, 'x.json');
  assert.equal(recording.digest, digestCase(recording));
  assert.equal(regradeRecording(recording, { chapters }).integrity.digest, recording.digest);
  assert.match((await gradeSource({ ...source, ...subject, chapters })).integrity.digest, /^[0-9a-f]{64}$/);
});

test('A recording that was altered is in error and not graded, whatever was altered', async () => {
  const changes: ((recording: Recording) => unknown)[] = [
    ({ facts }) => (facts.here.sysctls['net/ipv4/ip_forward'] = '0'),
    ({ evidence }) => ((evidence as { lost: number }).lost = 4711),
    ({ baseline }) => baseline.files.pop(),
    ({ plan }) => (plan.hostPort = 8081),
    ({ record }) => record.seen.push('br9'),
    (recording) => (recording.digest = recording.digest.replace(/^./, (digit) => (digit === '0' ? '1' : '0'))),
  ];
  for (const change of changes) {
    const report = regradeRecording(readRecording(await altered(change), 'x'), { chapters });
    assert.deepEqual([report.exit, report.summary.points, report.summary.pass], [3, null, 0]);
    assert.match(report.checks[0]?.because ?? '', /was altered.*Next: lab facts/);
  }
});

test('Without evidence only what facts alone tell is graded; the rest is in error', async () => {
  const { text } = await taken('right', false);
  const report = regradeRecording(readRecording(text, 'x'), { chapters });
  assert.equal(report.exit, 3);
  assert.equal(report.checks.find(({ id }) => id === 'bridge.up')?.verdict, 'pass');
  const egress = report.checks.find(({ id }) => id === 'egress.ct1');
  assert.deepEqual([egress?.verdict, egress?.points], ['error', null]);
  assert.match(egress?.because ?? '', /no experiments were recorded. Next: lab facts/);
  assert.equal(regradeRecording(readRecording(text, 'x'), { chapters, only: 'veth' }).exit, 0);
});

test('Evidence that lacks an experiment is an error of the checks that stand on it', async () => {
  const text = await altered((recording) => {
    delete recording.evidence?.results['ct1>internet'];
    recording.digest = digestCase(recording);
  });
  const report = regradeRecording(readRecording(text, 'x'), { chapters });
  assert.deepEqual([report.exit, report.checks.find(({ id }) => id === 'egress.ct1')?.verdict], [3, 'error']);
});

test('What is no recording is a clear error with the next command', async () => {
  const texts: [text: string, what: RegExp][] = [
    ['', /no recording: it is not the JSON/],
    ['{"schemaVersion":1', /no recording/],
    ['[]', /no recording/],
    ['null', /no recording/],
    ['\ufffd\u0000', /no recording/],
    ['{}', /no recording/],
    [await reading((recording) => ({ ...recording, schemaVersion: 2 })), /version 2 with facts of 2; this lab reads 1/],
    [await reading(({ facts, ...rest }) => ({ ...rest, facts: { ...facts, schemaVersion: 1 } })), /facts of 1;/],
    [await without('facts'), /facts of none/],
    [await without('evidence'), /no whole recording: evidence/],
    [await reading(({ evidence, ...rest }) => ({ ...rest, evidence: { ...evidence, seen: 1 } })), /evidence\.seen/],
    [await without('digest'), /digest/],
    [' '.repeat(mostBytes + 1), /larger than 48 MiB/],
  ];
  for (const [text, what] of texts) {
    assert.throws(
      () => readRecording(text, 'x.json'),
      (error) => {
        assert.ok(error instanceof LabError, text.slice(0, 50));
        assert.match(error.message, what);
        return error.exit === EXIT.fault && error.where === 'x.json' && error.next.startsWith('lab facts');
      },
    );
  }
});
