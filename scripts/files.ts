/** The files of this checkout, for programs that look at all of them. */
import { execFileSync } from 'node:child_process';
import { resolve } from 'node:path';

export const root = resolve(import.meta.dirname, '..');

/** Files that git does not ignore and that are not empty, by their paths from the root. A tarball's checkout will do. */
export function listFiles(): string[] {
  const argv = ['grep', '--no-index', '--exclude-standard', '-lz', '-e', ''];
  return execFileSync('git', argv, { cwd: root, encoding: 'utf8' }).split('\0').filter(Boolean);
}
