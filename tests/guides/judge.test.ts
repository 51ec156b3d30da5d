import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CommandBlock } from '@handwired/labs';
import { judge } from './judge.ts';
import { tell } from './report.ts';

const block = (more: Partial<CommandBlock>): CommandBlock => ({
  ...{ kind: 'command', where: 'lab host', text: 'ip link', ends: 'well', quiet: false, line: 7 },
  ...more,
});
const ended = (output: string, status = 0, failed = status) => ({ status, failed, output });
const told = (...[of, end]: Parameters<typeof judge>): string | undefined => judge(of, end)?.what;

test('Commands that print what one should see, or nothing where nothing is said, are right', () => {
  assert.equal(told(block({ see: 'lo …' }), ended('lo UP\n')), undefined);
  assert.equal(told(block({}), ended('')), undefined);
  assert.equal(told(block({ quiet: true }), ended('anything')), undefined);
  assert.equal(told(block({ where: 'own machine' }), ended('anything')), undefined);
  assert.equal(told(block({ ends: 'fails', see: 'no' }), ended('no', 2)), undefined);
});

test('Commands that print something else, or something where nothing is said, are wrong', () => {
  assert.equal(told(block({ see: 'lo' }), ended('eth0')), 'not what one should see');
  assert.equal(told(block({ see: '' }), ended('eth0')), 'not what one should see');
  assert.equal(told(block({}), ended('eth0')), 'it printed something, and has no see fence');
});

test('Commands that end otherwise than they must are wrong, whatever they print', () => {
  assert.equal(told(block({ see: 'lo' }), ended('lo', 1)), 'a command failed with status 1');
  assert.equal(told(block({ see: 'lo' }), ended('lo', 0, 3)), 'a command failed with status 3');
  assert.equal(told(block({ ends: 'fails', see: 'lo' }), ended('lo')), 'it must fail, and did not');
  const hangs = { status: undefined, failed: 0, output: 'lo', trouble: 'it did not end in 60 s' };
  assert.equal(told(block({ quiet: true }), hangs), 'it did not end in 60 s');
});

test('A failure is told with the place, the commands, and what came beside what one should see', () => {
  const wrong = judge(block({ see: 'lo\nbr0' }), ended('lo\neth0'));
  assert.ok(wrong);
  const failures = [{ where: 'labs/02-bridge/guide.md:7', commands: 'ip link', ...wrong }];
  assert.equal(
    tell({ chapter: 'bridge', blocks: 1, failures, ms: 1234 }),
    `FAIL bridge: 1 blocks, 1.2 s
  labs/02-bridge/guide.md:7: not what one should see
    $ ip link
      lo
    - br0
    + eth0`,
  );
});
