import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Lab } from '../lab.ts';

export interface Row {
  student: string;
  lab: string;
  state: string;
  verdict: string;
  points: number | 'error';
  maxPoints: number;
  chapters: Record<string, number | 'error'>;
  detail: string;
}

/** Writes a roster beside the labs' state; returns its path. */
export async function writeRoster(lab: Lab, students: readonly string[]): Promise<string> {
  const file = join(lab.state, 'roster.csv');
  const quoted = students.map((student) => `"${student.replaceAll('"', '""')}"`);
  await writeFile(file, ['student', ...quoted, ''].join('\n'));
  return file;
}

/** The rows of a fleet command's JSON, after its exit code was as expected. */
export async function rowsOf(lab: Lab, words: string[], exit: number): Promise<Row[]> {
  const { code, stdout, stderr } = await lab('fleet', ...words, '-o', 'json');
  assert.equal(code, exit, stdout + stderr);
  return (JSON.parse(stdout) as { students: Row[] }).students;
}
