import assert from 'node:assert/strict';
import { glob, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';

/** Code that examines the whole machine, where the labs of another test would show. */
const machineWide = /snapshot\.ts|\btraces\(|\bmembersOf\(/;

test('tests that run two at a time look at their own labs only', async () => {
  const makefile = await readFile(join(import.meta.dirname, '../Makefile'), 'utf8');
  const folders = /--test-concurrency=2 .*\\\n(.*)/.exec(makefile)?.[1]?.match(/tests\/\w+/g) ?? [];
  assert.notEqual(folders.length, 0, 'the Makefile says which they are');
  for (const folder of folders) {
    for await (const file of glob(`${folder}/**/*.test.ts`, { cwd: join(import.meta.dirname, '..') })) {
      const text = await readFile(join(import.meta.dirname, '..', file), 'utf8');
      assert.doesNotMatch(text, machineWide, `${file}: it belongs to tests/alone`);
    }
  }
});
