import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { arch } from 'node:os';
import { join, relative } from 'node:path';
import { LabError } from '@handwired/host';
import { namesIn } from '../packages.ts';
import { findSources, type Sources } from './sources.ts';

/** Raise it when build.ts changes what comes out of the same inputs. */
const builderVersion = 2;

export const cloudInitDir = join(import.meta.dirname, '../../cloud-init');
const scripts = ['customize.sh', 'initrd.sh', 'pack.sh'].map((name) => join(import.meta.dirname, name));

/** All that decides what an image is made of. */
export interface Inputs {
  /** SHA-256 over everything below and over our own files, 16 hex digits: the image's name. */
  hash: string;
  sources: Sources;
  packages: string[];
  architecture: 'amd64' | 'arm64';
  /** Seconds: no file of the image is newer. */
  epoch: number;
  /** As truncate(1) takes it. Sparse: what is not used takes no room. */
  diskSize: string;
}

/** 2026-01-01: any fixed day does; guests take their clock from the hypervisor. */
const epoch = 1767225600;
const diskSize = '4G';
const kernels = {
  debian: { amd64: 'linux-image-cloud-amd64', arm64: 'linux-image-cloud-arm64' },
  ubuntu: { amd64: 'linux-image-virtual', arm64: 'linux-image-virtual' },
};

/**
 * Collects the inputs and their hash. Mirror addresses are not part of it (every mirror has the same packages), and
 * neither are package versions: an image stays what it is until it is pruned, and works without any mirror.
 */
export async function findInputs(signal: AbortSignal): Promise<Inputs> {
  const architecture = ({ x64: 'amd64', arm64: 'arm64' } as const)[arch() as 'x64' | 'arm64'] as
    | 'amd64'
    | 'arm64'
    | undefined;
  if (!architecture) throw new LabError({ what: `no image for ${arch()} processors`, next: 'lab up --driver sandbox' });
  const sources = await findSources(signal);
  const lists = ['packages.list', 'docker.list', 'vm/packages.list'].map((name) => join(cloudInitDir, name));
  const texts = await Promise.all(lists.map((file) => readFile(file, 'utf8')));
  const kernel = kernels[sources.distribution][architecture];
  const named = texts.flatMap(namesIn).filter(({ optional }) => !optional || sources.distribution === 'debian');
  const packages = [...new Set([kernel, ...named.map(({ name }) => name)])].sort();
  const pockets = sources.lines.map((line) => line.split(' ').slice(3).join(' ')).sort();
  const hash = createHash('sha256');
  hash.update(JSON.stringify({ builderVersion, architecture, epoch, diskSize, packages, pockets }));
  for (const [name, file] of await inputFiles()) hash.update(`\0${name}\0`).update(await readFile(file));
  return { hash: hash.digest('hex').slice(0, 16), sources, packages, architecture, epoch, diskSize };
}

async function inputFiles(): Promise<[name: string, file: string][]> {
  const entries = await readdir(cloudInitDir, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return [...files, ...scripts]
    .map((file): [string, string] => [relative(import.meta.dirname, file), file])
    .sort(([a], [b]) => (a < b ? -1 : 1));
}
