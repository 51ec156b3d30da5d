import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { readLists } from './objects.ts';
import { judgeObjects } from './index.ts';

const lists = readFileSync(join(import.meta.dirname, 'fixtures/lists.txt'), 'utf8');
const object = 'handwired-eng-abc123def4';

test('one virsh call shows domain, network and pool', () => {
  assert.deepEqual(readLists(lists, object), { domain: 'running', network: 'active', pool: 'active' });
});

test('objects of other labs are not seen', () => {
  assert.deepEqual(readLists(lists, 'handwired-eng'), { domain: '', network: '', pool: '' });
});

test('a domain that is off has no number, and its state has two words', () => {
  assert.equal(readLists(` -   ${object}   shut off\n`, object).domain, 'shut off');
});

test('a lab of which one object is gone is broken, and which one is said', () => {
  const found = { domain: 'running', network: '', pool: 'active' } as const;
  assert.deepEqual(judgeObjects(found, object, 'made'), { state: 'broken', detail: `${object} has no network` });
});

test('a lab that is whole is up or stopped; one that was not finished is broken', () => {
  const found = readLists(lists, object);
  assert.equal(judgeObjects(found, object, 'made').state, 'up');
  assert.equal(judgeObjects({ ...found, domain: 'shut off' }, object, 'made').state, 'stopped');
  assert.equal(judgeObjects(found, object, 'making').state, 'broken');
});

test('a lab whose objects are all gone is broken once it was made, absent before', () => {
  const nothing = { domain: '', network: '', pool: '' } as const;
  assert.equal(judgeObjects(nothing, object, 'made').state, 'broken');
  assert.equal(judgeObjects(nothing, object, 'making').state, 'absent');
});
