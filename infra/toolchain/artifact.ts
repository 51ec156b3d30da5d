import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, mkdtemp, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { cacheDir, LabError, readMessage, readJson, underLock, writeJson } from '@handwired/host';
import { z } from 'zod';
import type { Work } from '../driver.ts';

/** A folder in the cache. It is made once, completely or not at all, and checked before each use. */
export interface Artifact {
  /** Folder name without its key: `pulumi-3.259.0`. */
  name: string;
  /** Everything that the content depends on; its hash is the folder's key. */
  inputs: readonly string[];
  /** Files in the folder whose content is recorded, relative paths. */
  files: readonly string[];
  /** Fills an empty folder. Returns one line: where it came from. */
  make(folder: string): Promise<string>;
}

/** A file at the time when it was made. The hash proves its content. An equal stat shows that it is unchanged since. */
const Recorded = z.object({
  path: z.string(),
  size: z.number(),
  mtimeMs: z.number(),
  ctimeMs: z.number(),
  ino: z.number(),
  sha256: z.string(),
});
type Recorded = z.infer<typeof Recorded>;

const Stamp = z.object({ schemaVersion: z.literal(1), source: z.string(), files: z.array(Recorded) });
type Stamp = z.infer<typeof Stamp>;

const stampFile = (folder: string): string => join(folder, 'stamp.json');

/** The artifact's folder, whether it exists or not. */
export function findFolder(artifact: Pick<Artifact, 'name' | 'inputs'>): string {
  const key = createHash('sha256').update(JSON.stringify(artifact.inputs)).digest('hex').slice(0, 16);
  return join(cacheDir(), 'toolchain', `${artifact.name}-${key}`);
}

/**
 * The artifact's folder, made when it is absent, incomplete or changed. One process makes it; others wait for that
 * process. A kill at any moment leaves the folder as it was, because a new one is made beside it and renamed.
 */
export async function ensureArtifact(artifact: Artifact, work: Work): Promise<string> {
  const folder = findFolder(artifact);
  if (await isIntact(folder, artifact.files)) return folder;
  const onWait = (): void => work.progress.note(`another process is making ${artifact.name}; waiting for it`);
  return underLock(`toolchain ${folder}`, { signal: work.signal, onWait }, async () => {
    if (!(await isIntact(folder, artifact.files))) await makeInPlace(artifact, folder);
    return folder;
  });
}

/** Whether every recorded file is there with its recorded content. Hashes only files whose stat has changed. */
export async function isIntact(folder: string, files: readonly string[]): Promise<boolean> {
  const stamp = await readStamp(folder);
  if (!stamp || stamp.files.map((file) => file.path).join('\n') !== files.join('\n')) return false;
  let touched = false;
  for (const recorded of stamp.files) {
    const now = await describeFile(folder, recorded.path, recorded);
    if (now?.sha256 !== recorded.sha256) return false;
    touched ||= now !== recorded;
    Object.assign(recorded, now);
  }
  if (touched) await writeStamp(folder, stamp);
  return true;
}

async function readStamp(folder: string): Promise<Stamp | undefined> {
  try {
    return await readJson(stampFile(folder), Stamp);
  } catch {
    return undefined; // A stamp that can't be read proves nothing, so the artifact is made again.
  }
}

const writeStamp = (folder: string, stamp: Stamp): Promise<void> => writeJson(stampFile(folder), stamp);

/** The file as it is now; `known` itself when its stat says that it has not been touched. */
async function describeFile(folder: string, path: string, known?: Recorded): Promise<Recorded | undefined> {
  const file = join(folder, path);
  const { size, mtimeMs, ctimeMs, ino } = (await stat(file).catch(() => undefined)) ?? {};
  if (size === undefined || mtimeMs === undefined || ctimeMs === undefined || ino === undefined) return undefined;
  const same = known?.size === size && known.mtimeMs === mtimeMs && known.ctimeMs === ctimeMs && known.ino === ino;
  return same ? known : { path, size, mtimeMs, ctimeMs, ino, sha256: await sha256Of(file) };
}

/** Hex SHA-256 of a file, read as a stream. */
async function sha256Of(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}

async function makeInPlace(artifact: Artifact, folder: string): Promise<void> {
  const parent = dirname(folder);
  try {
    await mkdir(parent, { recursive: true });
    await removeLeftovers(folder);
    const partial = await mkdtemp(`${folder}.making-`);
    try {
      const source = await artifact.make(partial);
      await writeStamp(partial, { schemaVersion: 1, source, files: await recordFiles(partial, artifact.files) });
      await rm(folder, { recursive: true, force: true });
      await rename(partial, folder);
    } finally {
      await rm(partial, { recursive: true, force: true });
    }
  } catch (error) {
    if (error instanceof LabError || (error as NodeJS.ErrnoException).code === undefined) throw error;
    throw new LabError({
      what: `cannot make ${artifact.name}: ${readMessage(error)}`,
      where: parent,
      next: 'export XDG_CACHE_HOME=A_FOLDER_WITH_6_GB_FREE',
      cause: error,
    });
  }
}

/** Removes what a killed process left. We hold the lock, so no other process uses it. */
async function removeLeftovers(folder: string): Promise<void> {
  for (const name of await readdir(dirname(folder)))
    if (name.startsWith(`${basename(folder)}.making-`))
      await rm(join(dirname(folder), name), { recursive: true, force: true });
}

/** Flushes the files to the disk and describes them. */
async function recordFiles(folder: string, files: readonly string[]): Promise<Recorded[]> {
  const recorded: Recorded[] = [];
  for (const path of files) {
    await flush(join(folder, path));
    const file = await describeFile(folder, path);
    if (!file) throw new LabError({ what: `${path} was not made`, where: folder, next: 'make setup' });
    recorded.push(file);
  }
  return recorded;
}

/** Flushes a file to the disk before the rename makes it visible, so that a power cut can't leave an empty file. */
async function flush(file: string): Promise<void> {
  const handle = await open(file, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
