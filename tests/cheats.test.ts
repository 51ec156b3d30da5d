import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { cheats } from './cheats/registry.ts';

test('Every file of a cheat is in the registry under its own name', () => {
  const others = ['cheat.ts', 'registry.ts'];
  const files = readdirSync(join(import.meta.dirname, 'cheats')).filter((name) => name.endsWith('.ts'));
  const named = files.filter((name) => !others.includes(name)).map((name) => name.replace('.ts', ''));
  assert.deepEqual(cheats.map(({ name }) => name).sort(), named.sort());
});

test('At least ten cheats are taken for right by a naive checker, and ours has checks that must not pass for each', () => {
  const pretending = cheats.filter(({ naive }) => naive === 'pass');
  assert.ok(pretending.length >= 10, String(pretending.length));
  for (const { name, caught } of pretending) assert.ok(caught.length > 0, name);
});
