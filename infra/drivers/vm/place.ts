import { constants, copyFile, link, mkdir, readFile, rm, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { LabError, type LabSpec } from '@handwired/host';
import type { Image } from '../../image/index.ts';
import { filesOf, type Names } from './names.ts';

/**
 * Gives the lab its own names for the image's files: hard links, so that an image that is pruned from the cache stays
 * whole for the labs that run on it, and no lab costs a copy. On another file system: a copy, shared where it can be.
 */
export async function placeImage(
  lab: string,
  names: Names,
  image: Pick<Image, 'disk' | 'kernel' | 'initrd'>,
): Promise<void> {
  const files = filesOf(lab);
  await Promise.all([
    placeFile(image.disk, join(files.pool, names.base)),
    placeFile(image.kernel, files.kernel),
    placeFile(image.initrd, files.initrd),
  ]);
}

async function placeFile(source: string, target: string): Promise<void> {
  await mkdir(dirname(target), { recursive: true, mode: 0o700 });
  await rm(target, { force: true });
  await link(source, target).catch(() => copyFile(source, target, constants.COPYFILE_FICLONE));
}

/** Room that the overlay needs to be of any use; what a course writes is far less. */
const diskMiB = 1024;

/** Refuses a lab that this machine has no memory or disk for, before anything is made. */
export async function requireRoom(spec: LabSpec, folder: string): Promise<void> {
  const meminfo = await readFile('/proc/meminfo', 'utf8');
  const freeMiB = Math.floor(Number(/^MemAvailable:\s+(\d+) kB/m.exec(meminfo)?.[1] ?? 0) / 1024);
  if (freeMiB < spec.memoryMiB)
    throw new LabError({
      what: `lab ${spec.name} wants ${spec.memoryMiB} MiB of memory, and ${freeMiB} MiB are free`,
      where: '/proc/meminfo, MemAvailable',
      next: `lab up ${spec.name} --memory ${Math.max(256, Math.floor(freeMiB / 128 - 1) * 128)}, or lab destroy another lab`,
    });
  const { bavail, bsize } = await statfs(folder);
  const room = Math.floor((bavail * bsize) / 1048576);
  if (room < diskMiB)
    throw new LabError({
      what: `lab ${spec.name} wants ${diskMiB} MiB of disk, and ${room} MiB are free`,
      where: folder,
      next: 'lab image prune, or export XDG_STATE_HOME=A_FOLDER_WITH_ROOM',
    });
}
