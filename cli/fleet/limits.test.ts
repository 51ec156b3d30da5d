import assert from 'node:assert/strict';
import { test } from 'node:test';
import { upLimit } from './limits.ts';

test('memory bounds how many VMs are brought up at once', () => {
  assert.equal(upLimit('vm', 512, { cores: 16, freeMiB: 2_000 }), 2);
});

test('cores bound it where memory is plenty, and a sandbox costs less than a VM', () => {
  const machine = { cores: 2, freeMiB: 24_000 };
  assert.equal(upLimit('vm', 512, machine), 2);
  assert.equal(upLimit('sandbox', 512, machine), 4);
});

test('one lab at a time is the least, however small the machine', () => {
  assert.equal(upLimit('vm', 4096, { cores: 1, freeMiB: 100 }), 1);
});
