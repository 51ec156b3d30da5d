import { existsSync, mkdirSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/** Times that somebody else may take a parent away between two of our calls. */
const ATTEMPTS = 8;

/**
 * Makes a folder and those above it that are missing, `mode` for each. Throws the system's error, which names the folder.
 * Node's own recursive mkdir never returns below a folder like /proc, where making one answers ENOENT.
 */
export function makeFolder(path: string, mode = 0o777): void {
  for (let attempt = 1; ; attempt += 1) {
    try {
      for (const folder of missing(path)) makeOne(folder, mode);
      return;
    } catch (error) {
      if (codeOf(error) !== 'ENOENT' || attempt === ATTEMPTS) throw error;
    }
  }
}

/** The outermost first. */
function missing(path: string): string[] {
  const found: string[] = [];
  for (let at = resolve(path); !existsSync(at) && at !== dirname(at); at = dirname(at)) found.unshift(at);
  return found;
}

function makeOne(folder: string, mode: number): void {
  try {
    mkdirSync(folder, { mode });
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error; // another command was faster
  }
}

const codeOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException).code;
