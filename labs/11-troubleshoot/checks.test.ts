import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findBegun } from '../../checker/queries/chapters.ts';
import type { Case } from '../../checker/queries/check.ts';
import { type FaultNote, LabRecord, noteFault } from '../../checker/record.ts';
import { readCase } from '../../checker/testing/fixtures.ts';
import { gradedChapters } from '../checks.ts';
import { grading } from './checks.ts';

const note: FaultNote = {
  injectedAt: '2026-11-25T03:00:00.000Z',
  level: 1,
  count: 1,
  attempts: 1,
  hints: 0,
  seconds: 90,
  right: true,
  repaired: true,
  revealed: false,
};

const withNotes = (...notes: FaultNote[]): Case => {
  const lab = readCase('right');
  for (const one of notes) noteFault(lab.record, one);
  return lab;
};

const verdict = (lab: Case): string => grading.checks.map(({ judge }) => judge(lab).verdict).join();

test('a fault that was named and repaired passes', () => {
  assert.equal(verdict(withNotes(note)), 'pass');
  assert.equal(verdict(withNotes(note, { ...note, injectedAt: 'later', right: false })), 'pass');
});

test('a fault that was only named, only repaired, or revealed does not, and neither does none', () => {
  for (const less of [{ right: false }, { repaired: false }, { revealed: true }]) {
    assert.equal(verdict(withNotes({ ...note, ...less })), 'fail', JSON.stringify(less));
  }
  assert.equal(verdict(withNotes()), 'fail');
});

test('the chapter is begun by the first fault, and what is noted of a fault again takes the place of what was', () => {
  const chapters = (lab: Case): string[] => findBegun(gradedChapters, lab);
  assert.ok(!chapters(withNotes()).includes('troubleshoot'));
  const twice = withNotes({ ...note, right: false }, note);
  assert.ok(chapters(twice).includes('troubleshoot'));
  assert.deepEqual(twice.record.faults, [note]);
});

test('a record of before there were faults is read as it is', () => {
  const old = { schemaVersion: 1, begun: {}, seen: [] };
  assert.deepEqual(LabRecord.parse(old), old);
});
