import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultPlan, LabError, type OpenSeat } from '@handwired/host';
import { findBegun } from '../queries/chapters.ts';
import { emptyRecord } from '../record.ts';
import { Report } from '../report/report.ts';
import { readCase, chapters, recorded, replaying, type State } from '../testing/fixtures.ts';
import { gradeSource, type GradeOptions } from './grade.ts';

/** A lab host that is in a recorded state; counts round trips. */
function hostIn(...states: State[]): { seat: OpenSeat; trips: () => number } {
  let snapshots = 0;
  let trips = 0;
  const seat = replaying((program) => {
    trips += 1;
    const state = states[program === 'facts' ? Math.min(snapshots++, states.length - 1) : 0] ?? 'empty';
    return program === 'facts' ? recorded(state).raw : recorded(state).evidence;
  });
  return { seat, trips: () => trips };
}

const gradeOf = (seat: OpenSeat, more: Partial<GradeOptions> = {}): Promise<Report> => {
  const { baseline } = readCase('empty');
  const common = {
    lab: 'lab',
    driver: 'sandbox',
    plan: defaultPlan,
    baseline,
    record: emptyRecord(),
    chapters,
  } as const;
  return gradeSource({ seat, ...common, ...more });
};

test('A right build passes in two round trips, and the report is what its schema says', async () => {
  const { seat, trips } = hostIn('right');
  const report = await gradeOf(seat);
  assert.deepEqual([report.exit, report.summary.fail, report.summary.points, trips()], [0, 0, 80, 2]);
  assert.deepEqual(Report.parse(report), report);
});

test('An answer that a copy did not get in time is asked for once more; one that the lab host dropped is not', async () => {
  for (const [late, trips, fail] of [
    [1, 4, 0],
    [9, 4, 1],
  ] as const) {
    let taken = 0;
    let rounds = 0;
    const seat = replaying((program) => {
      taken += 1;
      const { raw, evidence } = recorded('right');
      const lookup = evidence.copies[2]?.results['ct1 lookup'];
      if (program === 'experiments' && rounds++ < late && lookup) {
        Object.assign(lookup, { ok: false, stage: 'lookup', error: 'no answer' });
      }
      return program === 'facts' ? raw : evidence;
    });
    const report = await gradeOf(seat);
    assert.deepEqual([report.summary.fail, taken], [fail, trips]);
  }
  const dropping = hostIn('seed');
  const report = await gradeOf(dropping.seat);
  assert.deepEqual([report.summary.fail > 0, dropping.trips()], [true, 2]);
});

test('Nothing begun is nothing to check; everything asked for then fails', async () => {
  const nothing = await gradeOf(hostIn('empty').seat);
  assert.deepEqual([nothing.exit, nothing.checks.length], [2, 0]);
  const all = await gradeOf(hostIn('empty').seat, { through: 'cleanup' });
  assert.deepEqual([all.exit, all.summary.pass, all.summary.points], [1, 0, 0]);
  assert.deepEqual([...new Set(all.summary.chapters.map(({ verdict }) => verdict))], ['fail']);
});

test('One chapter alone is reported alone; what it needs is judged all the same', async () => {
  const report = await gradeOf(hostIn('empty').seat, { only: 'egress' });
  assert.deepEqual([...new Set(report.checks.map(({ chapter }) => chapter))], ['egress']);
  assert.match(report.checks[0]?.because ?? '', /^addressing\.ct1-link is skipped/);
  assert.equal(report.exit, 1);
});

test('The record remembers what was begun, and makes a clean lab host a cleaned one', async () => {
  const record = emptyRecord();
  await gradeOf(hostIn('seed').seat, { record });
  assert.deepEqual(
    Object.keys(record.begun).sort(),
    chapters
      .map(({ id }) => id)
      .filter((id) => id !== 'cleanup')
      .sort(),
  );
  assert.ok(record.seen.includes('veth-ct1'));
  const after = await gradeOf(hostIn('seed-cleaned').seat, { record });
  assert.deepEqual([...new Set(after.checks.map(({ chapter }) => chapter))], ['cleanup']);
});

test('Begun is what can be seen: nothing, and a half', () => {
  const { facts, baseline, plan } = readCase('seed');
  assert.deepEqual(findBegun(chapters, { facts: baseline, baseline, plan, record: emptyRecord() }), []);
  const half = structuredClone(facts);
  half.here.iptables = baseline.here.iptables;
  half.here.nft = baseline.here.nft;
  half.here.sysctls = baseline.here.sysctls;
  half.files = baseline.files;
  for (const { net } of half.namespaces) if (net) net.sockets = [];
  assert.deepEqual(findBegun(chapters, { facts: half, baseline, plan, record: emptyRecord() }), [
    'namespaces',
    'bridge',
    'veth',
    'addressing',
    'connectivity',
  ]);
});

test('With fail-fast the first failing check ends it: later ones are skipped, and their experiments are not made', async () => {
  const seed = await gradeOf(hostIn('seed').seat, { failFast: true });
  const first = seed.checks.findIndex(({ verdict }) => verdict === 'fail');
  assert.deepEqual([seed.checks[first]?.id, seed.summary.fail, seed.exit], ['connectivity.conditions', 1, 1]);
  assert.ok(seed.checks.slice(0, first).every(({ verdict }) => verdict === 'pass'));
  for (const check of seed.checks.slice(first + 1)) {
    assert.deepEqual(
      [check.verdict, check.because, check.points],
      ['skipped', 'not run: connectivity.conditions fails, and --fail-fast stops there', 0],
    );
  }
  const { seat, trips } = hostIn('empty');
  const all = await gradeOf(seat, { through: 'cleanup', failFast: true });
  assert.deepEqual([all.summary.fail, all.summary.skipped, trips()], [1, all.checks.length - 1, 1]);
});

test('Trouble on our side is an error with its reason, for all that was asked, and no points', async () => {
  const lost = new LabError({ what: 'the connection was lost', next: 'lab up' });
  const refusing = { ...replaying(() => null), exec: () => Promise.reject(lost) };
  const report = await gradeOf(refusing, { through: 'bridge' });
  assert.deepEqual([report.exit, report.summary.error, report.summary.points], [3, 6, null]);
  assert.match(report.checks[0]?.because ?? '', /the connection was lost.*Next: lab up/);
  for (const answer of [null, [], { host: 1 }, { ...recorded('right').raw, sources: {} }]) {
    assert.equal((await gradeOf(replaying(() => answer))).exit, 3);
  }
  const half = replaying((program) => (program === 'facts' ? recorded('right').raw : { results: {} }));
  const later = await gradeOf(half);
  assert.deepEqual([later.exit, later.summary.pass, later.summary.fail], [3, 0, 0]);
});

test('An abort is rethrown', async () => {
  const signal = AbortSignal.abort(new Error('interrupted'));
  const aborting = { ...replaying(() => null), exec: () => Promise.reject(new Error('interrupted')) };
  await assert.rejects(gradeOf(aborting, { signal }), /interrupted/);
});

test('Leftovers that can still go by themselves are waited for', async () => {
  const { seat, trips } = hostIn('empty');
  const { baseline, record } = readCase('empty');
  let snapshots = 0;
  const settling: OpenSeat = replaying((program) => {
    const { raw } = recorded('empty');
    // The kernel's work queue has not come to the veth of a deleted namespace yet.
    if (program === 'facts' && snapshots++ < 2) raw.processes.push({ pid: 9, inode: 7, args: ['sleep', '1'] });
    return raw;
  });
  const report = await gradeOf(settling, { baseline, record, only: 'cleanup' });
  assert.deepEqual([report.exit, snapshots], [0, 3]);
  await gradeOf(seat, { baseline, record, only: 'cleanup' });
  assert.equal(trips(), 1);
});
