import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { LabError, run } from '@handwired/host';
import { type Architecture, requireArchitecture } from '../architecture.ts';
import { listNames } from '../packages.ts';
import { sudoPrefix } from '../user-namespace.ts';

/** Raise this number when build.ts changes what it makes of the same inputs. */
const builderVersion = 2;

/** The folder of the files that turn a Debian into a lab host. */
export const cloudInitDir = join(import.meta.dirname, '../../cloud-init');
const scripts = ['customize.sh', 'initrd.sh', 'pack.sh'].map((name) => join(import.meta.dirname, name));

/** All that decides what an image is made of. */
export interface Inputs {
  /** SHA-256 over everything below and over our own files, 16 hex digits: the image's name. */
  hash: string;
  sources: Sources;
  packages: string[];
  architecture: Architecture;
  /** Seconds: no file of the image is newer. */
  epoch: number;
  /** A size for truncate(1). The disk is sparse: unused space takes no room. */
  diskSize: string;
}

/** 2026-01-01. Any fixed day would do: guests take their clock from the hypervisor. */
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
export async function findInputs(signal: AbortSignal, architecture = requireArchitecture()): Promise<Inputs> {
  const sources = await findSources(signal);
  const lists = ['packages.list', 'docker.list', 'vm/packages.list'].map((name) => join(cloudInitDir, name));
  const texts = await Promise.all(lists.map((file) => readFile(file, 'utf8')));
  const kernel = kernels[sources.distribution][architecture];
  const named = texts.flatMap(listNames).filter(({ optional }) => !optional || sources.distribution === 'debian');
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

/** Where the image's packages come from: always the sources that this machine's own apt uses. */
interface Sources {
  /** `trixie` on any Debian; the machine's own codename on Ubuntu. */
  suite: string;
  distribution: 'debian' | 'ubuntu';
  /** One-line style of sources.list(5), sorted. */
  lines: string[];
  /** apt.conf(5) settings that reach the mirror: proxy, certificates. */
  aptOptions: string[];
}

/** The Debian release that images are made of, whatever release the machine runs. */
const debianSuite = 'trixie';
/** Files, not their folder: by a folder, apt proves nothing (sources.list(5), Signed-By). */
const keyrings = {
  debian: '/usr/share/keyrings/debian-archive-keyring.gpg',
  ubuntu: '/usr/share/keyrings/ubuntu-archive-keyring.gpg',
};
const components = { debian: ['main'], ubuntu: ['main', 'universe'] };

/** Reads the machine's apt configuration by apt's own tools: deb822 and one-line files, proxies, mirrors. */
async function findSources(signal: AbortSignal): Promise<Sources> {
  const os = parseOsRelease(await readFile('/etc/os-release', 'utf8').catch(() => ''));
  const config = await run(['apt-config', 'dump', 'Acquire'], { signal, next: 'lab doctor' });
  return listSources(os, await listTargets(signal), config.stdout);
}

/**
 * What apt's sources have, as lines RELEASE CODENAME URI. apt knows it from its lists, and a new machine has none: then
 * they are fetched into a folder of ours, as any user may, and the machine's own stay as they are.
 */
async function listTargets(signal: AbortSignal): Promise<string> {
  const ask = async (options: string[]): Promise<string> => {
    const argv = ['apt-get', ...options, 'indextargets', '--format', '$(RELEASE) $(CODENAME) $(REPO_URI)'];
    return (await run(argv, { signal, next: 'lab doctor' })).stdout;
  };
  const known = await ask([]);
  if (known.trim() !== '') return known;
  const folder = await mkdtemp(join(tmpdir(), 'handwired-apt-'));
  try {
    await mkdir(join(folder, 'partial'));
    const settings = {
      'Dir::State::lists': folder,
      'Dir::Cache::pkgcache': '',
      'Dir::Cache::srcpkgcache': '',
      'Debug::NoLocking': '1',
      'APT::Sandbox::User': 'root',
      'Acquire::IndexTargets::deb::Translations::DefaultEnabled': 'false',
    };
    const options = Object.entries(settings).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
    await run(['apt-get', '-q', ...options, 'update'], { signal, allowFailure: true });
    return await ask(options);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Finds the sources in os-release, `apt-get indextargets` (lines RELEASE CODENAME URI) and `apt-config dump`. Pure. */
export function listSources(os: Record<string, string>, targets: string, config: string): Sources {
  const distribution = os['ID'];
  const own = os['VERSION_CODENAME'];
  if (own === undefined || (distribution !== 'debian' && distribution !== 'ubuntu')) {
    throw new LabError({
      what: `images are built on Debian or Ubuntu; this machine is ${os['PRETTY_NAME'] ?? 'unknown'}`,
      where: '/etc/os-release',
      next: 'lab up --driver sandbox',
    });
  }
  const suite = distribution === 'debian' ? debianSuite : own;
  const lines = new Set<string>();
  for (const target of targets.split('\n')) {
    const [release = '', codename = '', uri = ''] = target.split(' ');
    const pocket = findPocket(release, own) ?? findPocket(codename, own);
    if (pocket !== undefined && uri !== '') lines.add(renderLine(uri, suite + pocket, distribution));
  }
  if (lines.size === 0) {
    throw new LabError({
      what: `apt on this machine has no source for ${own}`,
      where: '/etc/apt/sources.list.d',
      next: `${sudoPrefix()}apt-get update`,
    });
  }
  return { suite, distribution, lines: [...lines].sort(), aptOptions: listAptOptions(config) };
}

const renderLine = (uri: string, suite: string, distribution: 'debian' | 'ubuntu'): string =>
  `deb [signed-by=${keyrings[distribution]}] ${uri} ${suite} ${components[distribution].join(' ')}`;

/** '' for the release itself, `-updates` or `-security` for the pockets with fixes. Undefined for others: not used. */
function findPocket(release: string, own: string): string | undefined {
  if (!release.startsWith(own)) return undefined;
  const pocket = release.slice(own.length);
  return ['', '-updates', '-security'].includes(pocket) ? pocket : undefined;
}

/** Selects the settings that are needed to reach a mirror. The machine's hooks and cache settings are left out. */
function listAptOptions(config: string): string[] {
  const wanted =
    /^Acquire::(https?|ftp)::(.*::)?(Proxy|Proxy-Auto-Detect|CaInfo|CaPath|Verify-Peer|Verify-Host)(::\S+)? "/i;
  return config.split('\n').filter((line) => wanted.test(line) && !line.includes(' "";'));
}

/** os-release(5): KEY=VALUE lines, values perhaps quoted. */
export function parseOsRelease(text: string): Record<string, string> {
  const pairs = Array.from(text.matchAll(/^([A-Z_]+)=(["']?)(.*?)\2$/gm), ([, key, , value]) => [
    key ?? '',
    value ?? '',
  ]);
  return Object.fromEntries(pairs) as Record<string, string>;
}
