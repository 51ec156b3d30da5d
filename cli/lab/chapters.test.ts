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

test('the whole course is built without cleanup, in its order', () => {
  assert.deepEqual(
    toBuild(course, {}),
    chapterIds.filter((id) => id !== 'cleanup'),
  );
});

test('one chapter is built with what it needs and nothing else', () => {
  assert.deepEqual(toBuild(course, { chapter: 'publish' }), ['namespaces', 'bridge', 'veth', 'addressing', 'publish']);
});

test('through a chapter is everything up to it', () => {
  assert.deepEqual(toBuild(course, { through: 'veth' }), ['namespaces', 'bridge', 'veth']);
});

test('undoing one chapter takes what stands on it with it, the last first', () => {
  assert.deepEqual(toUndo(course, 'addressing'), ['publish', 'dns', 'egress', 'addressing']);
});

test('undoing everything is the build backwards', () => {
  assert.deepEqual(toUndo(course, undefined), toBuild(course, {}).reverse());
});
