import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, realpathSync, statSync } from 'node:fs';
import { access, constants, open, readFile, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import type { z } from 'zod';
import { EXIT, LabError, readMessage } from './errors.ts';
import { quote } from './process.ts';

/** A folder of the XDG base directory specification. The variable is read at each call, so that tests can change it. */
function xdg(variable: string, fallback: string): string {
  const value = process.env[variable];
  return join(value?.startsWith('/') ? value : join(homedir(), fallback), 'handwired');
}

/** The folder for what can be made again: toolchain, images. It stays when labs are destroyed. */
export const cacheDir = (): string => xdg('XDG_CACHE_HOME', '.cache');

/**
 * The folder for existing labs, one folder each, and for learners' histories. It is removed when it is empty. Symbolic
 * links in its path are followed, so that its labs have one lock and one hypervisor however it was named.
 */
export const stateDir = (): string => followLinks(xdg('XDG_STATE_HOME', '.local/state'));

/** The path without symbolic links, as far as it exists. */
function followLinks(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path === dirname(path) ? path : join(followLinks(dirname(path)), basename(path));
  }
}

/** The folder that holds a folder for each lab. */
export const labsDir = (): string => join(stateDir(), 'labs');

/** A lab's own folder. Throws TypeError on a name that would lead out of `labsDir`. */
export const labDir = (name: string): string => join(labsDir(), requirePlainName(name));

/** The folder of learners' histories, one file for each lab. They stay when the labs are destroyed. */
export const historyDir = (): string => join(stateDir(), 'progress');

/** A lab's history. Throws TypeError as `labDir` does. */
export const historyFile = (name: string): string => join(historyDir(), `${requirePlainName(name)}.jsonl`);

function requirePlainName(name: string): string {
  if (name === '' || name.startsWith('.') || name.includes('/')) throw new TypeError(`not a lab's name: ${name}`);
  return name;
}

/** The errno name of a system error, such as `ENOENT`; undefined for anything else. */
export const readErrno = (error: unknown): string | undefined => (error as NodeJS.ErrnoException | undefined)?.code;

/** Whether the path exists and access(2) grants this right (R_OK, W_OK or X_OK of node:fs). */
export const exists = (path: string, right = constants.F_OK): Promise<boolean> =>
  access(path, right).then(
    () => true,
    () => false,
  );

/** How often we try when another command removes a parent folder between two of our calls. */
const ATTEMPTS = 8;

/**
 * Makes a folder and its missing parents, each with `mode`. Throws the system's error, which names the folder. Node's
 * own recursive mkdir is not used: it never returns below a folder like /proc, where mkdir(2) fails with ENOENT.
 */
export function makeFolder(path: string, mode = 0o777): void {
  for (let attempt = 1; ; attempt += 1) {
    try {
      for (const folder of findMissing(path)) makeOneFolder(folder, mode);
      return;
    } catch (error) {
      if (readErrno(error) !== 'ENOENT' || attempt === ATTEMPTS) throw error;
    }
  }
}

/** The missing ones among the folder and its parents, the outermost first. */
function findMissing(path: string): string[] {
  const found: string[] = [];
  for (let at = resolve(path); !existsSync(at) && at !== dirname(at); at = dirname(at)) found.unshift(at);
  return found;
}

function makeOneFolder(folder: string, mode: number): void {
  try {
    mkdirSync(folder, { mode });
  } catch (error) {
    if (readErrno(error) !== 'EEXIST') throw error; // Another command was faster.
  }
}

/** How the name of a temporary file ends. A killed command may leave such a file. */
export const partialSuffix = '.tmp';

/**
 * Writes a whole file or nothing of it: a temporary file in the same folder, fsync, rename. The file gets mode 0600,
 * and folders made for it get 0700. Throws LabError. The package write-file-atomic is not used: on a full disk it
 * replaces the old file by one that is cut short, without an error, and it writes through symbolic links.
 */
export async function writeAtomic(path: string, content: string | Uint8Array): Promise<void> {
  try {
    makeFolder(dirname(path), 0o700);
    const partial = `${path}.${randomBytes(4).toString('hex')}${partialSuffix}`;
    const file = await open(partial, 'wx', 0o600);
    try {
      await file.writeFile(content);
      await file.sync();
      await replace(path, partial);
    } catch (error) {
      await rm(partial, { force: true });
      throw error;
    } finally {
      await file.close();
    }
  } catch (error) {
    throw new LabError({
      what: `cannot write: ${readMessage(error)}`,
      where: path,
      next: findWayToWrite(path, error),
      cause: error,
    });
  }
}

/** Puts the new file in the place of the old one, or of a folder that somebody made there. */
async function replace(path: string, partial: string): Promise<void> {
  try {
    await rename(partial, path);
  } catch (error) {
    if (readErrno(error) !== 'EISDIR') throw error;
    await rm(path, { recursive: true });
    await rename(partial, path);
  }
}

/** What to type when the system refused to write or remove something at this path: what fills the disk, or another folder. */
export function findWayToWrite(path: string, error: unknown): string {
  const isCache = `${path}/`.startsWith(`${cacheDir()}/`);
  const folder = findExisting(path);
  const code = readErrno(error) ?? '';
  if (['ENOSPC', 'EDQUOT'].includes(code)) return isCache ? 'lab image prune' : `df -h ${quote(folder)}`;
  if (code === 'EROFS') return `findmnt -T ${quote(folder)}`;
  return `export ${isCache ? 'XDG_CACHE_HOME' : 'XDG_STATE_HOME'}=A_FOLDER_YOU_CAN_WRITE`;
}

/** The path itself, or the nearest folder above it that can be seen. */
function findExisting(path: string): string {
  const whole = resolve(path);
  try {
    statSync(whole);
    return whole;
  } catch {
    return findExisting(dirname(whole));
  }
}

/**
 * The error for something in the state folder that the system does not let us read, most often because `sudo lab` made
 * it. `command`: what to type behind `lab` as the user to whom it belongs.
 */
export function explainUnreadable(path: string, error: unknown, command: string): LabError {
  const folder = findExisting(path);
  const { uid } = statSync(folder);
  const trouble = { where: path, cause: error };
  if (readErrno(error) !== 'EACCES' || uid === process.geteuid?.())
    return new LabError({ ...trouble, what: `cannot read: ${readMessage(error)}`, next: `ls -ld ${quote(folder)}` });
  const owner = uid === 0 ? ['sudo', 'env'] : ['sudo', '-u', `#${uid}`, 'env'];
  const rest = `${owner.map(quote).join(' ')} XDG_STATE_HOME=${quote(dirname(stateDir()))}`;
  return new LabError({
    ...trouble,
    what: `this was made by ${uid === 0 ? 'root' : `the user with id ${uid}`}, who alone may read it`,
    next: `${rest} "$(command -v lab)" ${command}`,
    exit: EXIT.config,
  });
}

/** `writeAtomic` of a value as indented JSON with a final newline. */
export const writeJson = (path: string, value: unknown): Promise<void> =>
  writeAtomic(path, `${JSON.stringify(value, null, 2)}\n`);

/** Reads a JSON file and checks it by a schema; undefined without a file. LabError with a repair command if damaged. */
export async function readJson<T>(path: string, schema: z.ZodType<T>): Promise<T | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (readErrno(error) === 'ENOENT' || readErrno(error) === 'ENOTDIR') return undefined;
    throw explainUnread(path, error);
  }
  const parsed = schema.safeParse(parseJson(text));
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const at = issue?.path.join('.') ?? '';
  const why = at === '' ? 'not what it should be' : `${at}: ${readMessage(issue?.message)}`;
  throw new LabError({ what: `a damaged file: ${why}`, where: path, next: findMend(path) });
}

/** The error for a file that is there and can't be read, as when a folder is in its place. */
function explainUnread(path: string, error: unknown): LabError {
  if (readErrno(error) === 'EACCES') return explainUnreadable(path, error, `destroy ${basename(dirname(path))}`);
  return new LabError({ what: `cannot read: ${readMessage(error)}`, where: path, next: findMend(path), cause: error });
}

/** The command that replaces a damaged file. */
function findMend(path: string): string {
  const lab = basename(dirname(path));
  return mends[basename(path)]?.(lab, path) ?? `lab destroy ${lab}`;
}

/** For each file of a lab, the cheapest command that replaces a damaged one. For other files the lab is destroyed. */
const mends: Record<string, (lab: string, path: string) => string> = {
  'endpoint.json': (lab) => `lab up ${lab}`,
  'baseline.json': (lab) => `lab reset ${lab}`,
  'record.json': (_lab, path) => `rm -r ${path}   (what stands on the lab host is seen anew)`,
  'fault.json': (lab) => `lab reset ${lab}   (takes the fault out with everything else)`,
};

/** Parses JSON. Gives undefined, which no schema accepts, for text that is not JSON. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
