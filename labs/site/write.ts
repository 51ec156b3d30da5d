import { lstat, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { EXIT, LabError, messageOf, quoteAll } from '@handwired/host';
import { z } from 'zod';

/** In a folder that holds a site of ours: which of its files are ours. */
const marker = '.handwired-site.json';
const Marker = z.object({ schemaVersion: z.literal(1), files: z.array(z.string().regex(/^[a-z0-9.-]+$/)).max(200) });

/**
 * Writes a site's files into one folder, and takes away those of an earlier site that it has no more. A file that is not
 * ours is never touched: throws LabError (78) for a folder that holds others and no site, and for a name that is taken.
 */
export async function writeSite(folder: string, files: ReadonlyMap<string, string>): Promise<void> {
  const before = await ownIn(folder);
  for (const name of files.keys()) {
    if (!before.has(name) && (await exists(join(folder, name)))) throw taken(join(folder, name));
  }
  try {
    await mkdir(folder, { recursive: true });
    // Written first with both: a run that is cut off leaves nothing that the next would not know.
    await mark(folder, [...new Set([...before, ...files.keys()])]);
    for (const [name, text] of files) await put(join(folder, name), text);
    for (const name of before) if (!files.has(name)) await rm(join(folder, name), { force: true });
    await mark(folder, [...files.keys()]);
  } catch (error) {
    throw refused(folder, error);
  }
}

const mark = (folder: string, files: readonly string[]): Promise<void> =>
  put(join(folder, marker), `${JSON.stringify({ schemaVersion: 1, files }, null, 2)}\n`);

/** In the place of what was there, never through a link. Others may read it: a site is there to be served. */
async function put(path: string, text: string): Promise<void> {
  await rm(path, { force: true });
  await writeFile(path, text, { flag: 'wx' });
}

/** The names of our files in a folder; none where there is no folder, or nothing in it. */
async function ownIn(folder: string): Promise<Set<string>> {
  const entries = await readdir(folder).catch((error: unknown): string[] => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw refused(folder, error);
  });
  if (entries.length === 0) return new Set();
  if (!entries.includes(marker)) {
    throw new LabError({
      what: `${folder} holds other files, and no site of ours: nothing was written`,
      where: join(folder, entries.toSorted()[0] ?? ''),
      next: `lab guide --html ${quoteAll([join(folder, 'guide')])}`,
      exit: EXIT.config,
    });
  }
  return new Set(await listed(join(folder, marker)));
}

async function listed(path: string): Promise<string[]> {
  try {
    return Marker.parse(JSON.parse(await readFile(path, 'utf8'))).files;
  } catch (error) {
    const what = 'the list of what is ours in this folder is damaged: nothing was written';
    throw new LabError({ what, where: path, next: 'lab guide --html ANOTHER_FOLDER', exit: EXIT.config, cause: error });
  }
}

const exists = async (path: string): Promise<boolean> => {
  const found = await lstat(path).catch(() => undefined);
  return found !== undefined;
};

const taken = (path: string): LabError =>
  new LabError({
    what: 'a file of that name is there already, and it is not ours: nothing was written',
    where: path,
    next: quoteAll(['mv', path, `${path}.mine`]),
    exit: EXIT.config,
  });

function refused(folder: string, error: unknown): unknown {
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  if (code === undefined || !['EACCES', 'ENOTDIR', 'EEXIST', 'EROFS', 'EPERM', 'EISDIR'].includes(code)) return error;
  return new LabError({
    what: `no site can be written there: ${messageOf(error)}`,
    where: folder,
    next: 'lab guide --html A_FOLDER_YOU_CAN_WRITE',
    exit: EXIT.config,
    cause: error,
  });
}
