import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EXIT, LabError, messageOf, stopIfAborted } from './errors.ts';

test('an error carries what happened, where, the next command and an exit code', () => {
  const cause = new Error('root of it');
  const error = new LabError({ what: 'no answer', where: '10.0.0.1:22', next: 'lab status demo', cause });
  assert.equal(error.message, 'no answer');
  assert.equal(error.where, '10.0.0.1:22');
  assert.equal(error.next, 'lab status demo');
  assert.equal(error.exit, EXIT.fault);
  assert.equal(error.cause, cause);
  assert.equal(error.name, 'LabError');
});

test('our own errors never look like a learner who failed', () => {
  assert.notEqual(new LabError({ what: 'x', next: 'y' }).exit, EXIT.failed);
  assert.equal(new LabError({ what: 'x', next: 'y', exit: EXIT.usage }).exit, 64);
});

test('a message is one line, whatever was thrown', () => {
  assert.equal(messageOf(new Error('first\nsecond')), 'first');
  assert.equal(messageOf('text'), 'text');
  assert.equal(messageOf(undefined), 'undefined');
  assert.equal(messageOf({ toString: () => 'odd' }), 'odd');
});

test('an aborted signal stops work with its own reason', () => {
  const reason = new Error('interrupted');
  assert.throws(() => stopIfAborted(AbortSignal.abort(reason)), reason);
  stopIfAborted(new AbortController().signal);
  stopIfAborted(undefined);
});
