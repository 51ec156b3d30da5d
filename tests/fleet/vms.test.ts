import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chooseDriver } from '@handwired/infra';
import { silent } from '@handwired/host';
import { withLabs } from '../lab.ts';
import { differenceAtRest, takeSnapshot } from '../snapshot.ts';
import { rowsOf, writeRoster } from './roster.ts';

const { driver, why } = await chooseDriver('auto', { progress: silent, signal: new AbortController().signal });
const skip = driver.name === 'vm' ? false : why;

test('two students on real VMs: who built it right and who did nothing is what the gradebook says', {
  skip,
}, async () => {
  const before = await takeSnapshot();
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
  });
  assert.deepEqual(await differenceAtRest(before), []);
});
