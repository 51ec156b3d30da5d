import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chapterIds, type ChapterId, type ChapterInfo } from '@handwired/host';
import { toBuild, toUndo } from './chapters.ts';

const needs: Partial<Record<ChapterId, ChapterId[]>> = {
  bridge: [],
  veth: ['namespaces', 'bridge'],
  addressing: ['veth'],
  egress: ['addressing'],
  dns: ['egress'],
  publish: ['addressing'],
};
const course: ChapterInfo[] = chapterIds.map((id) => ({
  id,
  number: '',
  title: id,
  needs: needs[id] ?? [],
  points: 1,
}));

test('the whole network is built without what comes after it, in its order', () => {
  assert.deepEqual(toBuild(course, {}), chapterIds.slice(0, chapterIds.indexOf('publish') + 1));
});

test('one chapter is built with what it needs and nothing else', () => {
  assert.deepEqual(toBuild(course, { chapter: 'publish' }), ['namespaces', 'bridge', 'veth', 'addressing', 'publish']);
});

test('through a chapter is everything up to it', () => {
  assert.deepEqual(toBuild(course, { through: 'veth' }), ['tour', 'namespaces', 'bridge', 'veth']);
});

test('undoing one chapter takes what stands on it with it, the last first', () => {
  assert.deepEqual(toUndo(course, 'addressing'), ['publish', 'dns', 'egress', 'addressing']);
});

test('undoing everything is the whole course backwards', () => {
  assert.deepEqual(toUndo(course, undefined), chapterIds.filter((id) => id !== 'cleanup').reverse());
});
