import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isAtLeast } from './index.ts';

test('versions are compared by number, within one major', () => {
  assert.equal(isAtLeast('3.259.0', '3.259.0'), true);
  assert.equal(isAtLeast('3.1000.0', '3.259.0'), true);
  assert.equal(isAtLeast('3.259.1-alpha.1', '3.259.0'), true);
  assert.equal(isAtLeast('3.99.9', '3.259.0'), false);
  assert.equal(isAtLeast('4.0.0', '3.259.0'), false);
  assert.equal(isAtLeast('', '3.259.0'), false);
  assert.equal(isAtLeast('not a version', '3.259.0'), false);
});
