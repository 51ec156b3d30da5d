import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { parsePackages } from './packages.ts';

const text = await readFile(join(import.meta.dirname, 'packages.list'), 'utf8');

test('every line of packages.list that is not a comment names a package, its targets and a reason', () => {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  const names = new Set(
    ['amd64', 'arm64'].flatMap((processor) => parsePackages(text, processor)).map(({ name }) => name),
  );
  assert.equal(names.size, lines.length);
});

test('a package for another processor is left out, and one that may be absent is marked', () => {
  const packages = parsePackages('a[amd64] vm for amd64\nb[arm64] vm for arm64\nc? vm,build may be absent\n', 'arm64');
  assert.deepEqual(packages, [
    { name: 'b', targets: ['vm'], why: 'for arm64', optional: false },
    { name: 'c', targets: ['vm', 'build'], why: 'may be absent', optional: true },
  ]);
});
