import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LabError } from '@handwired/host';
import { parseCauses } from './submit.ts';

const choices = [
  { cause: 'bridge-down', title: 'The bridge is switched off.' },
  { cause: 'veth-in-no-bridge', title: "A container's cable is in no bridge." },
];

const named = (answer: string[], count = 1): string[] => parseCauses(answer, choices, count, 'lab');

test('an answer is a number of a choice, the id of a cause or of a fault, or words', () => {
  for (const answer of [['2'], ['veth-in-no-bridge'], ['veth-unplugged'], ['veth-ct2', 'is', 'in', 'no', 'bridge']]) {
    assert.deepEqual(named(answer), ['veth-in-no-bridge'], answer.join(' '));
  }
});

test('several are told apart by a comma, by a space between ids, or by and', () => {
  for (const answer of [
    ['1,2'],
    ['1', '2'],
    ['bridge-down', '2'],
    ['br0 is down and a veth in no bridge'],
    ['br0 down,', 'veth no bridge'],
  ]) {
    assert.deepEqual(named(answer, 2), ['bridge-down', 'veth-in-no-bridge'], answer.join(' '));
  }
});

test('a number without a choice, and words that do not say for sure, are no answer', () => {
  for (const answer of [['3'], ['0'], ['-1'], ['1.5'], ['something', 'is', 'wrong'], ['the bridge is not down']]) {
    assert.throws(
      () => named(answer),
      (error) => error instanceof LabError && error.exit === 64,
      answer.join(' '),
    );
  }
});
