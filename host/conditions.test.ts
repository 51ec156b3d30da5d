import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Conditions, conditionValues } from './conditions.ts';

test('without any condition given a lab host has the defaults', () => {
  assert.deepEqual(Conditions.parse({}), {
    'forward-policy': 'accept',
    'bridge-nf': '0',
    resolver: 'stub',
    'ip-forward': '0',
  });
});

test('the table of values has every condition, its default first, and no value that is refused', () => {
  const defaults = Conditions.parse({});
  assert.deepEqual(Object.keys(conditionValues), Object.keys(defaults));
  for (const [key, values] of Object.entries(conditionValues)) {
    assert.equal(values[0], defaults[key as keyof Conditions]);
    for (const value of values) assert.equal(Conditions.parse({ [key]: value })[key as keyof Conditions], value);
  }
});

test('any other value is refused', () => {
  for (const wrong of [{ 'bridge-nf': '2' }, { resolver: '' }, { 'forward-policy': 'DROP' }, { 'ip-forward': 1 }]) {
    assert.equal(Conditions.safeParse(wrong).success, false, JSON.stringify(wrong));
  }
});
