import assert from 'node:assert/strict';
import { test } from 'node:test';
import { command, ip } from './commands.ts';

test('A command can be typed as it stands, whatever a name in a recorded file holds', () => {
  assert.equal(ip('ct1', 'link', 'set', 'a b', 'up'), "ip -n ct1 link set 'a b' up");
  assert.equal(command('ip', 'link', 'del', 'k\0'), "ip link del 'k\uFFFD'");
});
