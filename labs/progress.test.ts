import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Progress, addUpProgress } from '@handwired/course';
import type { ChapterId, HistoryEvent, NewEvent } from '@handwired/host';
import { chapters } from './chapters.ts';

type Check = Extract<NewEvent, { kind: 'check' }>;
const check = (chapter: ChapterId, points: number, of: number, more: Partial<Check> = {}): NewEvent => ({
  ...{ kind: 'check', chapter, points, of, hints: 1, verdict: points === of ? 'pass' : 'fail' },
  first: points === of ? null : { id: `${chapter}.some`, title: 'It is so.', actual: 'it is not' },
  ...more,
});
const fault = (id: string, minute: number, more: object): NewEvent => ({
  ...{ kind: 'fault', id, injectedAt: time(minute), submittedAt: null, right: null, repaired: null },
  ...{ hints: 0, seconds: null },
  ...more,
});

const time = (minute: number): string => new Date(Date.UTC(2026, 0, 1) + minute * 60_000).toISOString();

/** Adds up what was done at some minutes. */
const of = (...events: [minute: number, event: NewEvent][]): Progress =>
  addUpProgress(
    events.map(([minute, event]): HistoryEvent => ({ ...event, at: time(minute) })),
    chapters,
  );
const chapterIn = (progress: Progress, id: ChapterId) => {
  const found = progress.chapters.find((chapter) => chapter.id === id);
  assert.ok(found);
  return found;
};

test('Nothing done is the first chapter to come, and no points', () => {
  const { current, points, of: all, seconds, faults } = of();
  assert.deepEqual(
    { current, points, all, seconds, faults },
    { current: 'tour', points: 0, all: 100, seconds: 0, faults: [] },
  );
});

test('A chapter without points is passed by its guide, or by what comes after it', () => {
  assert.equal(of([0, { kind: 'guide', chapter: 'tour' }]).current, 'namespaces');
  assert.equal(of([0, check('namespaces', 0, 5)]).current, 'namespaces');
});

test('The best and the last points are told apart, and a chapter that has passed once stays passed', () => {
  const progress = of([0, check('namespaces', 0, 5)], [1, check('namespaces', 5, 5)], [2, check('namespaces', 2, 5)]);
  const { state, points, attempts, first } = chapterIn(progress, 'namespaces');
  assert.deepEqual({ state, points, attempts }, { state: 'passed', points: { best: 5, last: 2 }, attempts: 3 });
  assert.equal(first?.id, 'namespaces.some');
  assert.deepEqual([progress.points, progress.current], [5, 'bridge']);
});

test('What is in error is an attempt without points', () => {
  const { points, attempts, state } = chapterIn(
    of([0, check('dns', 0, 10, { verdict: 'error', points: null })]),
    'dns',
  );
  assert.deepEqual({ points, attempts, state }, { points: null, attempts: 1, state: 'begun' });
});

test('Hints are counted where they said more than where to look, and only while it failed', () => {
  const levels = [0, 1, 2, 3].map((hints, at): [number, NewEvent] => [at, check('veth', 0, 10, { hints })]);
  assert.equal(chapterIn(of(...levels, [9, check('veth', 10, 10, { hints: 3 })]), 'veth').hints, 2);
});

test('Our solution is told where it was run before the learner passed, and not after', () => {
  const built: NewEvent = { kind: 'build', chapters: ['namespaces'] };
  assert.equal(chapterIn(of([0, built], [1, check('namespaces', 5, 5)]), 'namespaces').shown, true);
  assert.equal(chapterIn(of([0, check('namespaces', 5, 5)], [1, built]), 'namespaces').shown, false);
});

test('Time is what lies between two events, a long pause and a clock set back left out', () => {
  const progress = of(
    [0, { kind: 'guide', chapter: 'bridge' }],
    [6, check('namespaces', 5, 5)],
    [6, check('bridge', 0, 5)],
    [90, check('bridge', 5, 5)],
    [80, { kind: 'reset', to: null }],
    [83, check('veth', 0, 10)],
  );
  assert.deepEqual(
    [chapterIn(progress, 'namespaces').seconds, chapterIn(progress, 'bridge').seconds, progress.seconds],
    [0, 360, 540],
  );
});

test('A fault counts as its last event has it, each that was put in on its own', () => {
  const { faults, chapters: each } = of(
    [0, fault('level 1', 0, {})],
    [4, fault('mtu', 0, { right: false, hints: 1, seconds: 240 })],
    [5, fault('mtu', 0, { right: true, repaired: true, hints: 2, seconds: 300 })],
    [9, fault('mtu', 9, {})],
  );
  assert.deepEqual(
    faults.map(({ right, repaired, hints }) => ({ right, repaired, hints })),
    [
      { right: true, repaired: true, hints: 2 },
      { right: null, repaired: null, hints: 0 },
    ],
  );
  assert.equal(each.find(({ id }) => id === 'troubleshoot')?.hints, 2);
});

test('When all has passed nothing is left to do', () => {
  const all = chapters.map(({ id, points }): [number, NewEvent] => [0, check(id, points, points)]);
  assert.deepEqual([of(...all).current, of(...all).points], [null, 100]);
});
