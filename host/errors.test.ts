import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EXIT, hasCode, LabError, readMessage, parseScriptError } from './errors.ts';

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
  assert.equal(readMessage(new Error('first\nsecond')), 'first');
  assert.equal(readMessage('text'), 'text');
  assert.equal(readMessage(undefined), 'undefined');
  assert.equal(readMessage({ toString: () => 'odd' }), 'odd');
});

test('programs tell errors apart by their code', () => {
  const error = new LabError({ what: 'no answer', next: 'lab status', code: 'unreachable' });
  assert.ok(hasCode(error, 'unreachable'));
  assert.ok(!hasCode(error, 'broken'));
  assert.ok(!hasCode(Object.assign(new Error('no answer'), { code: 'unreachable' }), 'unreachable'));
});

test("a script's error is its last line that names the next command, else its last line", () => {
  const read = (stderr: string): unknown[] => Object.values(parseScriptError(stderr));
  assert.deepEqual(read('its init is gone. Next: lab up\n'), ['its init is gone', 'lab up']);
  assert.deepEqual(read('No module. See above. Next: modprobe x; true\nscripts failed\n'), [
    'No module. See above',
    'modprobe x; true',
  ]);
  assert.deepEqual(read('first\nlast\n'), ['last', undefined]);
  assert.deepEqual(read(''), ['', undefined]);
  assert.deepEqual(read('what. Next: '), ['what. Next:', undefined]);
  assert.equal(parseScriptError(`${'x'.repeat(5000)}. Next: lab up`).what.length, 300);
});
