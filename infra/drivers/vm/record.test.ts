import assert from 'node:assert/strict';
import { join } from 'node:path';
import test from 'node:test';
import { stateDir } from '@handwired/host';
import { logFiles } from './record.ts';

test('logs of a private hypervisor are named as this machine sees them, not as they are in its mount namespace', () => {
  const ofDomain = join(stateDir(), 'hypervisor/log/qemu/handwired-one-1.log');
  assert.deepEqual(logFiles('one', 'handwired-one-1', 'private').slice(1), [ofDomain]);
});

test('logs of the machine`s own libvirt are where libvirt puts them', () => {
  const folder = '/var/log/libvirt/qemu';
  const expected = [`${folder}/handwired-one-1-console.log`, `${folder}/handwired-one-1.log`];
  assert.deepEqual(logFiles('one', 'handwired-one-1', 'system'), expected);
});
