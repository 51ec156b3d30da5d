import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findObstacle } from '@handwired/infra';
import { withLabs } from '../lab.ts';
import { makeMarks } from '../marks.ts';
import { differenceAtRest, takeSnapshot } from '../snapshot.ts';
import { rowsOf, writeRoster } from './roster.ts';

const skip = (await findObstacle('vm', new AbortController().signal)) ?? false;

test('two students on real VMs: who built it right and who did nothing is what the gradebook says', {
  skip,
}, async (t) => {
  const marks = await makeMarks();
  t.after(() => marks.end());
  const before = await takeSnapshot(marks);
  await withLabs(async (lab) => {
    const roster = await writeRoster(lab, ['ann', 'ben']);
    const up = await rowsOf(lab, ['up', roster, '--driver', 'vm', '--condition', 'forward-policy=drop'], 0);
    assert.ok(up.every(({ state }) => state === 'up'));
    const built = await lab('build', 'fleet-ann');
    assert.equal(built.code, 0, built.stderr);
    const [ann, ben] = await rowsOf(lab, ['grade', roster], 1);
    assert.deepEqual([ann?.verdict, ann?.points, ben?.verdict, ben?.points], ['pass', ann?.maxPoints, 'nothing', 0]);
    const gone = await rowsOf(lab, ['destroy', roster], 0);
    assert.ok(gone.every(({ state }) => state === 'gone'));
  }, marks);
  const { own, others } = await differenceAtRest(before, marks);
  t.diagnostic(`of other labs meanwhile: ${others.length} lines`);
  assert.deepEqual(own, []);
});
