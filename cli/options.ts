import { availableParallelism, totalmem } from 'node:os';
import {
  chapterIds,
  conditionValues,
  EXIT,
  LabError,
  labNamePattern,
  type ChapterId,
  type Conditions,
  type DriverName,
} from '@handwired/host';
import { closest, distance } from 'fastest-levenshtein';

/** What `lab up` was asked for. A value that is undefined was not given. */
export interface UpOptions {
  driver?: 'auto' | DriverName;
  uri?: string;
  condition?: Partial<Conditions>;
  cpus?: number;
  memory?: number;
}

/** The start of the names of a fleet's labs, unless `--prefix` gives another. */
export const defaultPrefix = 'fleet';

export const driverNames = ['auto', 'vm', 'sandbox'] as const;

/** The error for a word that is not one of those allowed, with the nearest of them. */
function unknown(kind: string, word: string, allowed: readonly string[], next: string): LabError {
  const small = word.toLowerCase();
  const near = closest(small, [...allowed]);
  // A guess shares letters with what was typed: of one-letter words none is a misspelling of another.
  const shared = near.length - distance(small, near);
  const hint = shared >= Math.max(1, near.length / 2) ? ` (did you mean ${near}?)` : '';
  const what = `unknown ${kind} '${word}'${hint}; it is one of: ${allowed.join(' ')}`;
  return new LabError({ what, next, exit: EXIT.usage });
}

/** One of a list of words, else a usage error with the nearest. */
export function oneOf<T extends string>(kind: string, allowed: readonly T[], next = 'lab --help'): (word: string) => T {
  return (word) => {
    const found = allowed.find((candidate) => candidate === word);
    if (found === undefined) throw unknown(kind, word, allowed, next);
    return found;
  };
}

export const parseDriver = oneOf('driver', driverNames, 'lab up --help');
export const parseChapter: (word: string) => ChapterId = oneOf('chapter', chapterIds);

/** The lab's name, `lab` by default (or LAB_NAME), checked before it becomes part of a path. */
export function labName(given?: string): string {
  const name = given ?? (process.env.LAB_NAME || 'lab');
  if (labNamePattern.test(name)) return name;
  throw new LabError({
    what: `'${name.slice(0, 80)}' can't be a lab's name: 1-32 characters a-z, 0-9 and -, no - at either end (a DNS label)`,
    next: 'lab up my-lab',
    exit: EXIT.usage,
  });
}

/** A lab's name as it stands in a command to type next: the default lab needs none. With a space before it. */
export const named = (name: string): string => (name === (process.env.LAB_NAME || 'lab') ? '' : ` ${name}`);

/** The same where the name is a flag's: commands that work without a lab. */
export const labFlag = (name: string): string => named(name).replace(/^ /, ' --lab ');

/** Collects `--condition KEY=VALUE`, once for each key. */
export function parseCondition(text: string, before: Partial<Conditions> = {}): Partial<Conditions> {
  const [key = '', value] = text.split('=', 2);
  const keys = Object.keys(conditionValues) as (keyof Conditions)[];
  const known = oneOf('condition', keys, 'lab up --help')(key);
  if (value === undefined) {
    const example = `${known}=${conditionValues[known].join('|')}`;
    throw new LabError({ what: `--condition wants KEY=VALUE: ${example}`, next: 'lab up --help', exit: EXIT.usage });
  }
  const checked = oneOf(`value of ${known}`, conditionValues[known], 'lab up --help')(value);
  return { ...before, [known]: checked };
}

/** A libvirt URI: what it leads to is found out by connecting. */
export function parseUri(text: string): string {
  if (/^\S+$/.test(text)) return text;
  const what = `--uri wants the URI of a libvirt daemon, not '${text.slice(0, 40)}'`;
  throw new LabError({ what, next: 'lab up --uri qemu:///system', exit: EXIT.usage });
}

/** A whole number within bounds, else a usage error that names them. */
function parseCount(option: string, min: number, max: number, next = 'lab up --help'): (text: string) => number {
  return (text) => {
    const count = Number(text);
    if (/^\d+$/.test(text) && count >= min && count <= max) return count;
    const what = `${option} wants a whole number from ${min} to ${max}, not '${text.slice(0, 40)}'`;
    throw new LabError({ what, next, exit: EXIT.usage });
  };
}

export const parseCpus = parseCount('--cpus', 1, availableParallelism());
export const parseMemory = parseCount('--memory', 192, Math.floor(totalmem() / 1024 / 1024));
export const parseJobs = parseCount('--jobs', 1, 256, 'lab fleet --help');
export const parseWait = parseCount('--wait', 1, 86_400, 'lab check --help');
export const parsePort = parseCount('--port', 1, 65_535, 'lab trace --help');
export const parseSeconds = parseCount('--seconds', 1, 86_400, 'lab observe --help');
export const parseRows = parseCount('--count', 1, 1_000_000, 'lab observe --help');
