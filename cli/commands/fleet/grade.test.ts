import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Report } from '@handwired/checker';
import { EXIT, LabError, type ChapterInfo } from '@handwired/host';
import { createRow, renderGradebook } from './grade.ts';

const chapters: ChapterInfo[] = [
  { id: 'namespaces', number: '01', title: 'Namespaces', needs: [], points: 10 },
  { id: 'bridge', number: '02', title: 'Bridge', needs: [], points: 5 },
];

type Graded = Partial<Record<'namespaces' | 'bridge', number | null>>;

function reportOf(graded: Graded, exit: Report['exit']): Report {
  const found = chapters.filter(({ id }) => id in graded);
  return {
    schemaVersion: 1,
    lab: 'fleet-ann',
    driver: 'sandbox',
    hints: 1,
    summary: {
      ...{ pass: 0, fail: 0, skipped: 0, error: 0, points: 0, of: 15 },
      chapters: found.map(({ id, number, title, points: of }) => {
        const points = graded[id as 'bridge'] ?? null;
        return { id, number, title, points, of, verdict: points === null ? 'error' : points === of ? 'pass' : 'fail' };
      }),
    },
    checks: [],
    integrity: { digest: '', findings: [] },
    exit,
  };
}

const ann = { student: 'ann', lab: 'fleet-ann', line: 2 };

test('a right build has all points of all chapters', () => {
  const row = createRow({ ...ann, value: reportOf({ namespaces: 10, bridge: 5 }, 0) }, chapters);
  assert.deepEqual([row.verdict, row.points, row.maxPoints], ['pass', 15, 15]);
});

test('a build that passes as far as it goes is no pass of the whole', () => {
  const row = createRow({ ...ann, value: reportOf({ namespaces: 10 }, 0) }, chapters);
  assert.deepEqual([row.verdict, row.points, row.chapters.bridge, row.detail], ['fail', 10, 0, 'not begun: bridge']);
});

test('nothing begun is told apart from something wrong', () => {
  assert.equal(createRow({ ...ann, value: reportOf({}, 2) }, chapters).verdict, 'nothing');
  assert.equal(createRow({ ...ann, value: reportOf({ namespaces: 0 }, 1) }, chapters).verdict, 'fail');
});

test('an error of ours is never a zero, in a chapter or in a whole lab', () => {
  const part = createRow({ ...ann, value: reportOf({ namespaces: 10, bridge: null }, 3) }, chapters);
  assert.deepEqual([part.verdict, part.points, part.chapters.bridge], ['error', 'error', 'error']);
  const gone = new LabError({ what: 'there is no lab', next: 'lab up', exit: EXIT.config });
  const whole = createRow({ ...ann, error: gone }, chapters);
  assert.deepEqual([whole.verdict, whole.points, whole.chapters.namespaces], ['error', 'error', 'error']);
  assert.match(whole.detail, /no lab \(next: lab up\)/);
});

test('a student who is a formula is text in the CSV', () => {
  const row = createRow({ ...ann, student: '=HYPERLINK("x")', value: reportOf({}, 2) }, chapters);
  const csv = renderGradebook([row], chapters, 'csv');
  assert.match(csv, /^student,lab,namespaces,bridge,points,max,verdict,detail\n"'=HYPERLINK/);
});

test('the JSON has a row for each student, with numbers as numbers', () => {
  const row = createRow({ ...ann, value: reportOf({ namespaces: 10, bridge: 5 }, 0) }, chapters);
  const { students } = JSON.parse(renderGradebook([row], chapters, 'json')) as { students: (typeof row)[] };
  assert.deepEqual(students, [row]);
});
