import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import { LabError, readMessage, quote, run, writeJson } from '@handwired/host';
import type { Work } from '../driver.ts';
import { cloudInitDir, type Inputs } from './inputs.ts';
import { makeRoot, untilWeEnd } from './mmdebstrap.ts';
import { buildPrefix, imagesDir, type Manifest, removeBuilt } from './store.ts';

/** Free space for a running build, in MiB: three times the size of the finished image. */
const neededMiB = 2000;

/**
 * Builds an image into a new folder of the images folder and returns the folder and what is in it.
 * The caller holds the build lock. An error or an abort leaves nothing; a kill -9 leaves a `.build-*` folder.
 */
export async function buildInto(inputs: Inputs, work: Work): Promise<{ folder: string; manifest: Manifest }> {
  const began = performance.now();
  const folder = await newFolder();
  try {
    const root = join(folder, 'root');
    await work.progress.stage('Install Debian packages into the image', (note) =>
      bootstrap(inputs, folder, work, note),
    );
    await work.progress.stage('Write the disk', () => pack(inputs, root, folder, work.signal));
    const packages = await listPackages(root);
    await removeBuilt(root);
    const kernelVersion = (await readFile(join(folder, 'kernel-version'), 'utf8')).trim();
    await rm(join(folder, 'kernel-version'));
    await writeFile(join(folder, 'vmlinux'), unpackKernel(await readFile(join(folder, 'vmlinuz'))));
    await rm(join(folder, 'vmlinuz'));
    const manifest: Manifest = {
      schemaVersion: 1,
      hash: inputs.hash,
      suite: inputs.sources.suite,
      architecture: inputs.architecture,
      kernelVersion,
      builtAt: new Date().toISOString(),
      buildMs: Math.round(performance.now() - began),
      files: await digests(folder),
      packages,
    };
    await writeJson(join(folder, 'image.json'), manifest);
    return { folder, manifest };
  } catch (error) {
    await removeBuilt(folder);
    work.signal.throwIfAborted();
    throw error;
  }
}

/** Renames a built folder to its final place, so that readers see all of it or nothing. */
export async function publish(folder: string, hash: string): Promise<void> {
  const place = join(imagesDir(), hash);
  await rm(place, { recursive: true, force: true });
  await rename(folder, place);
}

/** Makes a folder to build in. LabError: it can't be made, or there is too little room. */
async function newFolder(): Promise<string> {
  const parent = imagesDir();
  try {
    await mkdir(parent, { recursive: true, mode: 0o700 });
    const space = await statfs(parent);
    const freeMiB = Math.floor((space.bavail * space.bsize) / 1024 / 1024);
    if (freeMiB >= neededMiB) return await mkdtemp(join(parent, buildPrefix));
    throw new LabError({
      what: `an image needs ${neededMiB} MiB while it is built; ${freeMiB} MiB are free`,
      where: parent,
      next: 'lab image prune',
    });
  } catch (error) {
    if (error instanceof LabError) throw error;
    const next = 'export XDG_CACHE_HOME=A_FOLDER_YOU_CAN_WRITE';
    throw new LabError({ what: `cannot write: ${readMessage(error)}`, where: parent, next, cause: error });
  }
}

/** Makes the image's root folder with mmdebstrap. */
async function bootstrap(inputs: Inputs, folder: string, work: Work, note: (text: string) => void): Promise<void> {
  const options = [
    '--variant=minbase',
    '--format=directory',
    `--include=${inputs.packages.join(',')}`,
    '--aptopt=Apt::Install-Recommends "false"',
    ...unwanted.map((rule) => `--dpkgopt=${rule}`),
    `--customize-hook=sh ${quote(join(import.meta.dirname, 'customize.sh'))} "$1"`,
  ];
  await makeRoot(join(folder, 'root'), inputs, options, {
    env: { ...settings(inputs), CLOUD_INIT: cloudInitDir, BOOT_OUT: folder, INITRD: 'No' },
    signal: work.signal,
    onLine: (line) => note(line.slice(0, 100)),
    next: 'apt-get update && lab image build',
  });
}

/** dpkg.cfg(5): translations and the like, which no lab needs. Manual pages in English stay. */
const unwanted = [
  'path-exclude=/usr/share/locale/*',
  'path-exclude=/usr/share/doc/*',
  'path-include=/usr/share/doc/*/copyright',
  'path-exclude=/usr/share/man/*',
  'path-include=/usr/share/man/man*',
  // Docker uses one of containerd's three shims, and never its command.
  'path-exclude=/usr/bin/ctr',
  'path-exclude=/usr/bin/containerd-stress',
  'path-exclude=/usr/bin/containerd-shim',
  'path-exclude=/usr/bin/containerd-shim-runc-v1',
];

/** Makes disk, kernel and initrd from the root folder. */
async function pack(inputs: Inputs, root: string, folder: string, signal: AbortSignal): Promise<void> {
  const script = join(import.meta.dirname, 'pack.sh');
  await run([...untilWeEnd(), 'sh', script, root, folder], { env: settings(inputs), signal, next: 'lab image build' });
}

/** Environment variables that make a build reproducible: the same inputs give the same bits. */
const settings = (inputs: Inputs): Record<string, string> => ({
  SOURCE_DATE_EPOCH: String(inputs.epoch),
  DISK_SIZE: inputs.diskSize,
  TZ: 'UTC',
});

/** Size and SHA-256 of each file of a folder. */
async function digests(folder: string): Promise<Manifest['files']> {
  const files: Manifest['files'] = {};
  for (const name of (await readdir(folder)).sort()) {
    const path = join(folder, name);
    const hash = createHash('sha256');
    for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
    files[name] = { bytes: (await stat(path)).size, sha256: hash.digest('hex') };
  }
  return files;
}

/** The exact packages of a built root, `NAME VERSION` sorted, from dpkg's status file. */
async function listPackages(root: string): Promise<string[]> {
  const status = await readFile(`${root}/var/lib/dpkg/status`, 'utf8').catch((error: unknown) => {
    throw new LabError({ what: `no dpkg status: ${readMessage(error)}`, where: root, next: 'lab image build' });
  });
  const found = status.split('\n\n').map((stanza) => {
    const field = (name: string): string => new RegExp(`^${name}: (.*)$`, 'm').exec(stanza)?.[1] ?? '';
    return `${field('Package')} ${field('Version')}`;
  });
  return found.filter((line) => line.trim() !== '').sort();
}

/** Offsets of the setup header: kernel Documentation/arch/x86/boot.rst. */
const header = { setupSectors: 0x1f1, magic: 0x202, payloadOffset: 0x248, payloadLength: 0x24c };
const elf = 0x464c457f;

/**
 * The uncompressed kernel inside a bzImage. It is an ELF file that QEMU starts at its PVH entry. Unpacking it here
 * saves each boot that work, which takes 1.5 s without hardware acceleration. Anything else (an arm64 Image, an unknown
 * compression) is returned as it is.
 */
export function unpackKernel(image: Buffer): Buffer {
  if (image.length < 0x250 || image.toString('latin1', header.magic, header.magic + 4) !== 'HdrS') return image;
  const start = ((image[header.setupSectors] || 4) + 1) * 512 + image.readUInt32LE(header.payloadOffset);
  // The last four bytes are the unpacked size, which the kernel's own build appends.
  const end = start + image.readUInt32LE(header.payloadLength) - 4;
  const unpacked = unpack(image.subarray(start, end));
  return unpacked !== undefined && unpacked.length > 4 && unpacked.readUInt32LE(0) === elf ? unpacked : image;
}

function unpack(payload: Buffer): Buffer | undefined {
  if (payload.length < 4) return undefined;
  if (payload.readUInt32LE(0) === 0xfd2fb528) return zstdDecompressSync(payload);
  if (payload.readUInt16BE(0) === 0x1f8b) return gunzipSync(payload);
  return undefined;
}
