import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareOutput } from './see.ts';

/** What differs, one line a mark. */
const differs = (wanted: string, came: string): string[] | undefined =>
  compareOutput(wanted, came)
    ?.filter(({ mark }) => mark !== ' ')
    .map(({ mark, text }) => mark + text);

test('Lines are compared with their blanks squeezed, and empty lines do not count', () => {
  assert.equal(differs('a  b\n\nc', '  a b  \nc\n\n'), undefined);
  assert.equal(differs('', '\n'), undefined);
  assert.deepEqual(differs('a b', 'ab'), ['-a b', '+ab']);
});

test('Three dots alone stand for any lines, also none, anywhere', () => {
  assert.equal(differs('...', ''), undefined);
  assert.equal(differs('...\nb\n...', 'a\na\nb'), undefined);
  assert.equal(differs('a\n...\nb\n...\nc', 'a\nx\nb\nb\nc'), undefined);
  assert.deepEqual(differs('a\n...\nz', 'a\nb\nc'), ['-z']);
  assert.deepEqual(differs('... b', 'a b'), ['-... b', '+a b']);
});

test('An ellipsis in a line stands for any text, and all else for itself', () => {
  assert.equal(differs('2: br0: <…> mtu 1500 …', '2: br0: <UP> mtu 1500 qdisc'), undefined);
  assert.deepEqual(differs('a.b', 'axb'), ['-a.b', '+axb']);
  assert.deepEqual(differs('time=… ms', 'time=3 s'), ['-time=… ms', '+time=3 s']);
});

test('What differs is laid beside what does not', () => {
  assert.deepEqual(compareOutput('a\nb\nc', 'a\nx\nc\nd'), [
    { mark: ' ', text: 'a' },
    { mark: '-', text: 'b' },
    { mark: '+', text: 'x' },
    { mark: ' ', text: 'c' },
    { mark: '+', text: 'd' },
  ]);
});

test('A long output is compared in no time', () => {
  const came = Array.from({ length: 2000 }, (_, i) => `line ${i}`).join('\n');
  const start = performance.now();
  assert.equal(differs('line 0\n...\nline 1000\n...', came), undefined);
  assert.ok(performance.now() - start < 1000);
});
