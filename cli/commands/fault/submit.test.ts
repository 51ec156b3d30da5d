import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LabError } from '@handwired/host';
import { parseCauses, splitWords } from './submit.ts';

const choices = [
  { cause: 'bridge-down', title: 'The bridge is switched off.' },
  { cause: 'veth-in-no-bridge', title: "A container's cable is in no bridge." },
];

const parse = (answer: string[]): string[] => parseCauses(splitWords(answer), choices, 'demo');

test('an answer is the number of a choice, the id of a cause or the id of a fault', () => {
  for (const answer of ['2', 'veth-in-no-bridge', 'veth-unplugged']) {
    assert.deepEqual(parse([answer]), ['veth-in-no-bridge'], answer);
  }
});

test('an id need not be among the choices', () => {
  assert.deepEqual(parse(['masquerade-wrong-uplink']), ['masquerade-wrong-device']);
  assert.deepEqual(parse(['masquerade-wrong-device']), ['masquerade-wrong-device']);
});

test('several answers are separated by blanks or commas, and numbers and ids may be mixed', () => {
  for (const answer of [
    ['1,2'],
    ['1', '2'],
    ['1,', '2'],
    [' 1 , 2,, '],
    ['bridge-down', '2'],
    ['1', 'veth-unplugged'],
    ['bridge-down,veth-in-no-bridge'],
  ]) {
    assert.deepEqual(parse(answer), ['bridge-down', 'veth-in-no-bridge'], answer.join(' '));
  }
});

test('a cause that is named twice is one answer, and blanks and commas alone are none', () => {
  assert.deepEqual(parse(['2', 'veth-unplugged', 'veth-in-no-bridge']), ['veth-in-no-bridge']);
  assert.deepEqual(parse(['', ' , ']), []);
});

test('any other word is refused by name, with the command that lists the choices', () => {
  for (const [answer, word] of [
    ['3', '3'],
    ['0', '0'],
    ['-1', '-1'],
    ['1.5', '1.5'],
    ['0x1', '0x1'],
    ['1 something', 'something'],
    ['veth-ct2 is in no bridge', 'veth-ct2'],
    ['The bridge is switched off.', 'The'],
  ] as const) {
    assert.throws(
      () => parse([answer]),
      (error) => {
        assert.ok(error instanceof LabError);
        assert.equal(error.exit, 64);
        assert.ok(error.message.startsWith(`'${word}' is neither a number from 1 to 2 nor`), error.message);
        assert.match(error.next, /^lab fault submit --lab demo /);
        return true;
      },
    );
  }
});

test('a word that is spelled like an id gets that id as a guess', () => {
  assert.throws(() => parse(['brige-down']), /did you mean bridge-down\?/);
  assert.throws(() => parse(['masquerade-wrong-uplnk']), /did you mean masquerade-wrong-uplink\?/);
});
