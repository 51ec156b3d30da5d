import assert from 'node:assert/strict';
import type { Ended, Lab } from '../lab.ts';

export const sandbox = ['--driver', 'sandbox'];

/** Asserts an error's exit code, its message and its next command on stderr, with no stack trace and no stdout. */
export function assertClear(ended: Ended, exit: number, what: RegExp, next: RegExp): void {
  assert.equal(ended.code, exit, ended.stderr);
  assert.match(ended.stderr, what);
  assert.match(ended.stderr, next);
  assert.doesNotMatch(ended.stderr, /^ +at /m);
  assert.equal(ended.stdout, '');
}

/** Brings a sandbox up. */
export async function ready(lab: Lab, name: string, ...flags: string[]): Promise<void> {
  const { code, stderr } = await lab('up', name, ...sandbox, ...flags);
  assert.equal(code, 0, stderr);
}

/** Grades the chapters that were begun, and asserts that all pass. */
export async function builtRight(lab: Lab, name: string): Promise<void> {
  const { code, stdout, stderr } = await lab('check', name);
  assert.equal(code, 0, stdout + stderr);
}
