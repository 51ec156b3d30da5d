import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findProcesses } from '@handwired/host';
import { runApart, type Said } from './apart.ts';
import { noSandbox } from './sandbox.ts';

const instance = `say instance grep -o '"instance": "[0-9a-f]*"' "$1/state/handwired/labs/own/lab.json"`;

async function runningOf({ out }: Said): Promise<number> {
  const id = /"instance": "([0-9a-f]+)"/.exec(out)?.[1] ?? '';
  assert.notEqual(id, '');
  return (await findProcesses('cmdline', (word) => word === `handwired-sandbox=${id}`)).length;
}

test('a full state disk takes no report away and stops no destroy', { skip: noSandbox }, async () => {
  const said = await runApart(`say up lab up own --driver sandbox
${instance}
say build lab build own --through veth
dd if=/dev/zero of="$1/state/ballast" bs=4k 2>/dev/null
say check lab check own
say other lab up other --driver sandbox
say status lab status
say destroy lab destroy own`);
  assert.equal(said('up').code, 0, said('up').err);
  assert.equal(said('check').code, 0, said('check').err);
  assert.match(said('check').out, /03 /);
  assert.match(said('check').err, /not kept for later: cannot write: ENOSPC.*; next: df -h \S+\/state/);
  assert.equal(said('other').code, 3);
  assert.match(said('other').err, /cannot write: ENOSPC[^]*next: {2}df -h /);
  assert.doesNotMatch(said('status').out, /other/);
  assert.equal(said('destroy').code, 0, said('destroy').err);
  assert.match(said('destroy').err, /the removal goes on although this failed: cannot write/);
  assert.equal(await runningOf(said('instance')), 0);
});

test('a read-only state disk takes no report away, and destroy ends the lab host', { skip: noSandbox }, async () => {
  const said = await runApart(`say up lab up own --driver sandbox
${instance}
mount -o remount,bind,ro "$1/state"
say check lab check own
say destroy lab destroy own
say running sh -c 'ps -ef | grep -c "[h]andwired-sandbox=$(grep -o "[0-9a-f]\\{16\\}" "$1")"' sh "$1/said/instance.out"
mount -o remount,bind,rw "$1/state"`);
  assert.equal(said('up').code, 0, said('up').err);
  assert.equal(said('check').code, 2, said('check').err);
  assert.match(said('check').err, /not kept for later: cannot write: EROFS.*; next: findmnt -T \S+\/state/);
  assert.equal(said('destroy').code, 3);
  assert.match(said('destroy').err, /the lab host of own is gone, its folder can't be removed: EROFS[^]*findmnt -T /);
  assert.equal(said('running').out.trim(), '0');
});
