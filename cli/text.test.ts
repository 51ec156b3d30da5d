import assert from 'node:assert/strict';
import { test } from 'node:test';
import { wantsColor } from './text.ts';

const pipe = {};
const terminal = { isTTY: true };

test('a pipe gets no colour, whatever machine this is', () => {
  assert.equal(wantsColor(pipe, {}), false);
  assert.equal(wantsColor(pipe, { CI: 'true' }), false);
});

test('a terminal gets colour, unless it is a dumb one; NO_COLOR and FORCE_COLOR come before that', () => {
  assert.equal(wantsColor(terminal, {}), true);
  assert.equal(wantsColor(terminal, { TERM: 'dumb' }), false);
  assert.equal(wantsColor(terminal, { NO_COLOR: '1', FORCE_COLOR: '1' }), false);
  assert.equal(wantsColor(pipe, { FORCE_COLOR: '1' }), true);
  assert.equal(wantsColor(terminal, { FORCE_COLOR: '0' }), false);
});
