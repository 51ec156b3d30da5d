import assert from 'node:assert/strict';
import type { Ended, Lab } from '../lab.ts';

export const sandbox = ['--driver', 'sandbox'];

/** Three short lines at most, no stack trace, the next command named. */
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

/** Grades what was begun: all of it passes. */
export async function builtRight(lab: Lab, name: string): Promise<void> {
  const { code, stdout, stderr } = await lab('check', name);
  assert.equal(code, 0, stdout + stderr);
}
