import assert from 'node:assert/strict';
import { test } from 'node:test';
import { run } from './process.ts';
import { quote, quoteAll } from './quote.ts';

const shells = ['dash', 'bash', 'sh'];

/** What a shell makes of the words: `printf` ends each by a NUL, which no word can hold. */
async function readBack(shell: string, words: readonly string[]): Promise<string[]> {
  const { stdout } = await run([shell, '-c', `printf '%s\\0' ${quoteAll(words)}`]);
  return stdout.split('\0').slice(0, -1);
}

/** A repeatable sequence, so that a failure can be looked at again (xorshift32). */
function randomFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

const alphabet = 'ab \t\n\r\'"\\$`!*?[]{}()<>|&;#~=%^-+/.,:@\x01\x07\x1b\x7f'
  .split('')
  .concat('é', '→', '🧵', '\u0081', '\u0088');

test('plain words stay as they are, so that a guide can be read', () => {
  for (const word of ['br0', '172.18.0.1/16', 'veth-ct1', 'net.ipv4.ip_forward=1', '-o', 'a,b', 'user@host', '50%']) {
    assert.equal(quote(word), word);
  }
});

test('a single quote is closed, escaped and opened again, never written as $..', () => {
  assert.equal(quote("it's"), `'it'\\''s'`);
  assert.equal(quote('a\nb'), `'a\nb'`);
  assert.equal(quote(''), `''`);
});

test('words that are grammar or an assignment are quoted', () => {
  for (const word of ['if', 'done', 'time', 'PATH=/x', 'a+=b']) assert.equal(quote(word), `'${word}'`);
});

test('a word with a NUL is refused, for no argument can hold it', () => {
  assert.throws(() => quote('a\0b'), TypeError);
});

for (const shell of shells) {
  test(`random words come back from ${shell} as they were`, async () => {
    const random = randomFrom(20_260_101);
    for (let round = 0; round < 20; round += 1) {
      const word = (): string => Array.from({ length: random(40) }, () => alphabet[random(alphabet.length)]).join('');
      const words = Array.from({ length: 100 }, word);
      assert.deepEqual(await readBack(shell, words), words);
    }
  });

  test(`every single byte of ASCII comes back from ${shell}`, async () => {
    const words = Array.from({ length: 127 }, (_, i) => String.fromCharCode(i + 1)).flatMap((c) => [
      c,
      `${c}x`,
      `x${c}`,
    ]);
    assert.deepEqual(await readBack(shell, words), words);
  });

  test(`${shell} runs a program whose name is a reserved word or looks like an assignment`, async () => {
    for (const name of ['if', 'PATH=/nowhere']) {
      const { code } = await run([shell, '-c', quoteAll([name, 'x'])], { allowFailure: true });
      assert.equal(code, 127, name);
    }
  });
}
