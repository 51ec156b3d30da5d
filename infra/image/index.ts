import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { underLock } from '@handwired/host';
import type { Architecture } from '../architecture.ts';
import type { Work } from '../driver.ts';
import { ensurePackages } from '../packages.ts';
import { buildInto, publish } from './build.ts';
import { findInputs, type Inputs } from './inputs.ts';
import { buildPrefix, findImage, folders, type Image, imagesDir, type Manifest, removeFolder } from './store.ts';

export { kernelCmdline, type Image } from './store.ts';

/**
 * The image of today's inputs. It comes from the cache in milliseconds, or one process at a time builds it. For another
 * processor than this machine's, its programs must run here, emulated: tests/arm64.sh has that done.
 */
export async function ensureImage(work: Work, architecture?: Architecture): Promise<Image> {
  const inputs = await findInputs(work.signal, architecture);
  return (await findImage(inputs.hash)) ?? (await withImages(work, () => buildMissing(inputs, work)));
}

/** Whether the image of today's inputs is there already. */
export const hasImage = async (signal: AbortSignal): Promise<boolean> =>
  (await findImage((await findInputs(signal)).hash)) !== undefined;

/** Builds the image, unless another process has built it while we waited for the lock. */
async function buildMissing(inputs: Inputs, work: Work): Promise<Image> {
  const found = await findImage(inputs.hash);
  if (found) return found;
  await ensurePackages('build', work);
  const { folder } = await buildInto(inputs, work);
  await publish(folder, inputs.hash);
  const built = await findImage(inputs.hash);
  if (!built) throw new Error(`image ${inputs.hash} vanished while it was built`);
  return built;
}

/** The result of `verify`. `differing`: names of files that differ, and packages that changed between the builds. */
export interface Verified {
  equal: boolean;
  hash: string;
  differing: string[];
  /** SHA-256 of each file of the second build. */
  files: Record<string, string>;
  image: Image;
}

/** Builds twice from the same inputs (the cached image does not count) and compares the bits. The second is kept. */
async function verify(work: Work): Promise<Verified> {
  const inputs = await findInputs(work.signal);
  return withImages(work, async () => {
    await ensurePackages('build', work);
    const first = await work.progress.stage('First build', () => buildInto(inputs, work));
    await rm(first.folder, { recursive: true, force: true });
    const second = await work.progress.stage('Second build', () => buildInto(inputs, work));
    await publish(second.folder, inputs.hash);
    const image = await findImage(inputs.hash);
    if (!image) throw new Error(`image ${inputs.hash} vanished while it was built`);
    const differing = differences(first.manifest, second.manifest);
    const files = Object.fromEntries(Object.entries(second.manifest.files).map(([name, { sha256 }]) => [name, sha256]));
    return { equal: differing.length === 0, hash: inputs.hash, differing, files, image };
  });
}

/** Names of files that differ between two builds, and packages that the mirror replaced between them. */
export function differences(a: Manifest, b: Manifest): string[] {
  const names = [...new Set([...Object.keys(a.files), ...Object.keys(b.files)])].sort();
  const files = names.filter((name) => a.files[name]?.sha256 !== b.files[name]?.sha256);
  const before = new Set(a.packages);
  return [...files, ...b.packages.filter((line) => !before.has(line)).map((line) => `package ${line}`)];
}

/** Finished images, newest first. */
async function list(): Promise<Image[]> {
  const found = await Promise.all((await folders()).map((name) => findImage(name)));
  return found.filter((image) => image !== undefined).sort((a, b) => b.builtAt.localeCompare(a.builtAt));
}

/**
 * Removes every image but the one that is made from today's inputs, and leftovers of builds that were cut off.
 * Returns the removed folders. Disks of running labs stay readable: their files are open.
 */
async function prune(work: Work): Promise<string[]> {
  const { hash } = await findInputs(work.signal);
  return withImages(work, async () => {
    const removed = (await folders()).filter((name) => name !== hash);
    for (const name of removed) await removeFolder(name);
    return removed.map((name) => join(imagesDir(), name));
  });
}

/** Disk images of lab hosts, for `lab image`. */
export const images = { build: ensureImage, verify, list, prune };

/** Does work on the images folder under the lock. No build runs meanwhile, so it first removes leftovers of builds. */
function withImages<T>(work: Work, task: () => Promise<T>): Promise<T> {
  const onWait = (): void => work.progress.note('another process is building the image; waiting for it');
  return underLock('image-build', { signal: work.signal, onWait }, async () => {
    for (const name of await folders()) if (name.startsWith(buildPrefix)) await removeFolder(name);
    return task();
  });
}
