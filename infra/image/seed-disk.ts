import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { run } from '@handwired/host';
import type { Seed } from './seed.ts';

/** Writes a seed as the ISO 9660 image, labelled `cidata`, that cloud-init looks for; to be attached as a virtio disk. */
export async function writeSeedDisk(seed: Seed, file: string, signal: AbortSignal): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  // Beside the disk, so that what a kill -9 leaves goes with the lab.
  const folder = await mkdtemp(`${file}-`);
  try {
    const files = { 'user-data': seed.userData, 'meta-data': seed.metaData, 'network-config': seed.networkConfig };
    for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text, { mode: 0o600 });
    const argv = ['genisoimage', '-quiet', '-output', file, '-volid', 'cidata', '-joliet', '-rock', folder];
    await run(argv, { signal, next: 'lab setup vm' });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
