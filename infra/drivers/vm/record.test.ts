import assert from 'node:assert/strict';
import { join } from 'node:path';
import test from 'node:test';
import { stateDir } from '@handwired/host';
import { logFiles, makeNames, parseMark, parseObjectName } from './record.ts';

test('logs of a private hypervisor are named as this machine sees them, not as they are in its mount namespace', () => {
  const ofDomain = join(stateDir(), 'hypervisor/log/qemu/handwired-one-1.log');
  assert.deepEqual(logFiles('one', 'handwired-one-1', 'private').slice(1), [ofDomain]);
});

test('logs of the machine`s own libvirt are where libvirt puts them', () => {
  const folder = '/var/log/libvirt/qemu';
  const expected = [`${folder}/handwired-one-1-console.log`, `${folder}/handwired-one-1.log`];
  assert.deepEqual(logFiles('one', 'handwired-one-1', 'system'), expected);
});

test('names and marks of objects tell whose they are', () => {
  const names = makeNames({ name: 'two-words', instance: '0123456789abcdef', owner: 'me@here' });
  assert.deepEqual(parseObjectName(names.object), { lab: 'two-words', instance: '0123456789abcdef' });
  assert.deepEqual(parseMark(`${names.mark}\n`), { owner: 'me@here', state: stateDir() });
});

test('what others named or described is not ours; a mark without a state folder is', () => {
  for (const name of [
    'default',
    'handwired',
    'handwired-lab',
    'handwired-lab-xyz',
    'my-handwired-lab-0123456789abcdef',
  ])
    assert.equal(parseObjectName(name), undefined, name);
  for (const text of ['', 'my machine', 'handwired is nice']) assert.equal(parseMark(text), undefined, text);
  const old = parseMark('handwired lab=one owner=me@here instance=0123456789abcdef');
  assert.deepEqual(old, { owner: 'me@here', state: undefined });
});
