import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { test } from 'node:test';
import { renderGuardedScript } from '@handwired/course';
import { Conditions, defaultPlan, run } from '@handwired/host';
import { canShowOn, judgeAnswer, offerChoices, findClash, listFaultCommands, drawFaults, faults } from '../faults.ts';

const ids = faults.map(({ id }) => id);

test('Every fault file is in the registry, under its own name', async () => {
  const known = ['parts.ts', 'registry.ts'];
  const files = (await readdir(import.meta.dirname)).filter(
    (name) => name.endsWith('.ts') && !name.endsWith('.test.ts') && !known.includes(name),
  );
  assert.deepEqual(ids.toSorted(), files.map((name) => name.replace(/\.ts$/, '')).sort());
});

test('Every fault has its texts, and what it excludes exists', () => {
  for (const { id, title, explanation, symptoms, excludes } of faults) {
    assert.match(title, /^[A-Z].*\.$/, id);
    assert.match(explanation, /^[A-Z].*\.$/, id);
    assert.ok(title.length <= 90, id);
    assert.ok(symptoms.length > 0, id);
    for (const other of excludes) assert.ok(ids.includes(other) && other !== id, `${id} excludes ${other}`);
  }
  assert.equal(new Set(faults.map(({ title }) => title)).size, faults.length);
});

test('Every command of a fault can be repeated, is clean POSIX sh, and nothing in it names it as one', async () => {
  const all = faults.flatMap((fault) =>
    (['inject', 'repair'] as const).flatMap((way) => {
      const commands = listFaultCommands(way, [fault], defaultPlan);
      assert.ok(commands.length > 0, fault.id);
      for (const { done, run: it } of commands) {
        assert.ok(done, `${fault.id}: ${it.cmd} has no done`);
        assert.doesNotMatch(it.cmd, /\bfault|broken|handwired-build/i, fault.id);
      }
      return commands;
    }),
  );
  const argv = ['shellcheck', '-s', 'sh', '-e', 'SC2046,SC3013', '-'];
  const { code, stdout } = await run(argv, { input: renderGuardedScript(all), allowFailure: true, next: 'make setup' });
  assert.equal(code, 0, stdout);
});

test('An id means one cause only, although causes and faults have ids of their own', () => {
  for (const { id, cause } of faults) {
    const meant = faults.filter((one) => one.cause === id || one.id === id).map((one) => one.cause);
    assert.deepEqual([...new Set(meant)], [cause], id);
  }
});

test('A seed gives the same draws and choices again, and another gives others', () => {
  const draws = (seed: string): string[][] => drawFaults(faults, 3, seed).map((set) => set.map(({ id }) => id));
  assert.deepEqual(draws('1'), draws('1'));
  const orders = new Set(Array.from({ length: 20 }, (_none, seed) => JSON.stringify(draws(String(seed)))));
  assert.ok(orders.size > 1);
});

test('A draw of level 3 has two or three faults that do not exclude each other, of level 1 and 2 one of that level', () => {
  for (const seed of ['1', '2', '3', '4', '5']) {
    const sets = drawFaults(faults, 3, seed);
    assert.ok(sets.length > 0);
    for (const set of sets) {
      assert.ok(set.length === 2 || set.length === 3);
      assert.equal(findClash(set), undefined);
    }
    for (const level of [1, 2] as const) {
      for (const set of drawFaults(faults, level, seed))
        assert.deepEqual(
          set.map((one) => one.level),
          [level],
        );
    }
  }
});

test('The choices hold the true causes once each, among others, and their place tells nothing', () => {
  for (const fault of faults) {
    const places = new Set<number>();
    for (let seed = 0; seed < 20; seed += 1) {
      const causes = offerChoices([fault], String(seed)).map(({ cause }) => cause);
      assert.equal(new Set(causes).size, causes.length);
      assert.equal(causes.filter((cause) => cause === fault.cause).length, 1);
      places.add(causes.indexOf(fault.cause));
    }
    assert.ok(places.size > 1, fault.id);
  }
});

test('An answer is right when it names each true cause and nothing else, whatever else is named', () => {
  const causes = [...new Set(faults.map(({ cause }) => cause))];
  for (const fault of faults) {
    for (const cause of causes) assert.equal(judgeAnswer([fault], [cause]).right, cause === fault.cause, fault.id);
    assert.equal(judgeAnswer([fault], causes).right, causes.length === 1);
    assert.equal(judgeAnswer([fault], []).right, false);
  }
  const set = drawFaults(faults, 3, '1')[0] ?? [];
  const truth = set.map(({ cause }) => cause);
  assert.deepEqual(judgeAnswer(set, truth.toReversed()), { right: true, named: set.length, of: set.length });
  assert.deepEqual(judgeAnswer(set, truth.slice(1)), { right: false, named: set.length - 1, of: set.length });
});

test('A fault that wants a condition or a machine is for labs that were made with it', () => {
  const drop = Conditions.parse({ 'forward-policy': 'drop' });
  const [first] = faults;
  assert.ok(first);
  const one = { ...first, conditions: { 'forward-policy': 'drop' } as const };
  assert.equal(canShowOn({ driver: 'sandbox', conditions: drop }, one), true);
  assert.equal(canShowOn({ driver: 'sandbox', conditions: Conditions.parse({}) }, one), false);
  assert.equal(canShowOn({ driver: 'sandbox', conditions: drop }, { ...one, machine: 'vm' }), false);
});
