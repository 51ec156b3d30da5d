import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheDir, exists, LabError, readMessage, quoteAll, readJson, run } from '@handwired/host';
import { z } from 'zod';
import { type Architecture, platforms } from '../architecture.ts';
import { asRoot, isRoot } from '../user-namespace.ts';

/** `image.json` beside the files of an image; it is written last. Sizes in bytes. */
export const Manifest = z.object({
  schemaVersion: z.literal(1),
  hash: z.string(),
  suite: z.string(),
  architecture: z.enum(['amd64', 'arm64']),
  kernelVersion: z.string(),
  /** ISO 8601. */
  builtAt: z.string(),
  buildMs: z.number(),
  files: z.record(z.string(), z.object({ bytes: z.number(), sha256: z.string() })),
  /** `NAME VERSION`, sorted. */
  packages: z.array(z.string()),
});
export type Manifest = z.infer<typeof Manifest>;

/** What a lab host boots from. Paths are absolute. The files are never written to: writes go to overlays. */
export interface Image {
  hash: string;
  disk: string;
  format: 'qcow2';
  kernel: string;
  initrd: string;
  /** Kernel command line without the management address; see kernelCmdline(). */
  cmdline: string;
  architecture: Architecture;
  /** The space that it takes in the cache, and the size of the disk that the guest sees. */
  sizeMiB: number;
  diskMiB: number;
  suite: string;
  kernelVersion: string;
  builtAt: string;
}

/** The folder of finished images, each in a folder named by its hash. */
export const imagesDir = (): string => join(cacheDir(), 'images');
const diskMiB = 4096;
const MiB = 1024 * 1024;
/** panic=1: a race in QEMU sometimes makes an emulated kernel panic. It then starts again after a second. */
const baseCmdline = (architecture: Architecture): string =>
  `root=/dev/vda rw console=${platforms[architecture].console} quiet loglevel=3 panic=1 systemd.show_status=false`;

/** The kernel command line of one lab host. It contains the management address, so that ssh waits for nothing else. */
export const kernelCmdline = (image: Image, mgmt: { address: string; prefix: number }): string =>
  `${image.cmdline} handwired.mgmt=${mgmt.address}/${mgmt.prefix}`;

/** A finished image whose files have the sizes in its manifest; undefined when it is absent, unfinished or damaged. */
export async function findImage(hash: string): Promise<Image | undefined> {
  const folder = join(imagesDir(), hash);
  const manifest = await readJson(join(folder, 'image.json'), Manifest).catch(() => undefined);
  if (!manifest || manifest.hash !== hash) return undefined;
  const found = await Promise.all(
    Object.entries(manifest.files).map(async ([name, { bytes }]) => {
      const file = await stat(join(folder, name)).catch(() => undefined);
      return file?.size === bytes;
    }),
  );
  return found.length > 0 && found.every(Boolean) ? readImage(folder, manifest) : undefined;
}

/** An image from its folder and what its manifest says. */
export function readImage(folder: string, manifest: Manifest): Image {
  const bytes = Object.values(manifest.files).reduce((sum, file) => sum + file.bytes, 0);
  return {
    hash: manifest.hash,
    disk: join(folder, 'disk.qcow2'),
    format: 'qcow2',
    kernel: join(folder, 'vmlinux'),
    initrd: join(folder, 'initrd'),
    cmdline: baseCmdline(manifest.architecture),
    architecture: manifest.architecture,
    sizeMiB: Math.ceil(bytes / MiB),
    diskMiB,
    suite: manifest.suite,
    kernelVersion: manifest.kernelVersion,
    builtAt: manifest.builtAt,
  };
}

/** Names in the images folder: finished images and leftovers of interrupted builds. */
export async function folders(): Promise<string[]> {
  return (await readdir(imagesDir()).catch(() => [])).sort();
}

/** How the names of unfinished builds' folders begin. The holder of the build lock may remove these folders. */
export const buildPrefix = '.build-';

/** Removes a folder of the images folder. Tries again while processes of an interrupted build are still ending. */
export async function removeFolder(name: string): Promise<void> {
  const folder = join(imagesDir(), name);
  try {
    await removeBuilt(folder);
  } catch (error) {
    const next = quoteAll(['rm', '-rf', '--one-file-system', folder]);
    throw new LabError({ what: `cannot remove: ${readMessage(error)}`, where: folder, next, cause: error });
  }
}

/** Removes a folder of a build. What a plain user's build made belongs to that user's subordinate ids too. */
export async function removeBuilt(folder: string): Promise<void> {
  if (!isRoot() && (await exists(folder)))
    await run([...asRoot(), 'rm', '-rf', '--one-file-system', '--', folder], { allowFailure: true });
  await rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
}
