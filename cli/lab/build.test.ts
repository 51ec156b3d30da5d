import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chapterIds, type ChapterId, type ChapterInfo } from '@handwired/host';
import { selectToBuild, selectToBuildBefore, selectToUndo } from './build.ts';

const needs: Partial<Record<ChapterId, ChapterId[]>> = {
  bridge: [],
  veth: ['namespaces', 'bridge'],
  addressing: ['veth'],
  egress: ['addressing'],
  dns: ['egress'],
  publish: ['addressing'],
  troubleshoot: ['docker'],
};
const course: ChapterInfo[] = chapterIds.map((id) => ({
  id,
  number: '',
  title: id,
  needs: needs[id] ?? [],
  points: 1,
}));

test('the whole network is built without what comes after it, in its order', () => {
  assert.deepEqual(selectToBuild(course, {}), chapterIds.slice(0, chapterIds.indexOf('publish') + 1));
});

test('one chapter is built with what it needs and nothing else', () => {
  assert.deepEqual(selectToBuild(course, { chapter: 'publish' }), [
    'namespaces',
    'bridge',
    'veth',
    'addressing',
    'publish',
  ]);
});

test('through a chapter is everything up to it', () => {
  assert.deepEqual(selectToBuild(course, { through: 'veth' }), ['tour', 'namespaces', 'bridge', 'veth']);
});

test('before a chapter stands all of the network that comes before it, and what it needs of later ones', () => {
  assert.deepEqual(selectToBuildBefore(course, 'tour'), []);
  assert.deepEqual(selectToBuildBefore(course, 'veth'), ['tour', 'namespaces', 'bridge']);
  assert.deepEqual(selectToBuildBefore(course, 'cleanup'), selectToBuild(course, {}));
  assert.deepEqual(selectToBuildBefore(course, 'troubleshoot'), [...selectToBuild(course, {}), 'docker']);
});

test('undoing one chapter takes what stands on it with it, the last first', () => {
  assert.deepEqual(selectToUndo(course, 'addressing'), ['publish', 'dns', 'egress', 'addressing']);
});

test('undoing everything is the whole course backwards', () => {
  assert.deepEqual(selectToUndo(course, undefined), chapterIds.filter((id) => id !== 'cleanup').reverse());
});
