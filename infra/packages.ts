import { createHash } from 'node:crypto';
import { constants, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import {
  cacheDir,
  type DriverName,
  EXIT,
  exists,
  LabError,
  quoteAll,
  readJson,
  run,
  type RunResult,
  underLock,
  writeAtomic,
} from '@handwired/host';
import { z } from 'zod';
import { findArchitecture } from './architecture.ts';
import type { Work } from './driver.ts';
import { isRoot, sudoPrefix } from './user-namespace.ts';

/** A purpose for which packages are installed: see packages.list. */
export type PackageTarget = DriverName | 'docker' | 'build' | 'go' | 'verify' | 'test' | 'arm';

/** A package that one of our targets needs. */
export interface Package {
  name: string;
  targets: string[];
  why: string;
  /** The package is needed only when the distribution has it. */
  optional: boolean;
}

const ownList = join(import.meta.dirname, 'packages.list');
const learnerList = join(import.meta.dirname, '../cloud-init/packages.list');
const dockerList = join(import.meta.dirname, '../cloud-init/docker.list');

/**
 * Makes sure that the packages of a target are installed. Usually they are, and this takes a millisecond to find out.
 * Else root installs them with apt-get, and any other user gets a LabError with the command to type.
 */
export async function ensurePackages(target: PackageTarget, work: Work): Promise<void> {
  const needed = await packagesFor(target);
  const memory = join(cacheDir(), `packages-${target}.json`);
  const state = await dpkgState(needed);
  const remembered = await readJson(memory, z.object({ state: z.string() })).catch(() => undefined);
  if (remembered?.state === state) return;
  const onWait = (): void => work.progress.note('another process is installing packages; waiting for it');
  await underLock('packages', { signal: work.signal, onWait }, async () => {
    // On a machine without package lists, the first installation fetches them. Optional packages are known only after
    // that, so the second round looks for missing packages again.
    for (let round = 0; round < 2; round += 1) {
      const missing = await missingPackages(needed);
      if (missing.length === 0) break;
      await install(missing, work);
    }
    await writeAtomic(memory, JSON.stringify({ state: await dpkgState(needed) })).catch(() => undefined);
  });
}

/** The packages of a target that are not installed, without changing anything. */
export const missingFor = async (target: PackageTarget): Promise<Package[]> =>
  missingPackages(await packagesFor(target));

/** LabError with the one command that installs all of it, when packages of these targets are missing. Installs none. */
export async function requirePackages(targets: readonly PackageTarget[]): Promise<void> {
  const found = await Promise.all(targets.map(missingFor));
  const missing = [...new Map(found.flat().map((each) => [each.name, each])).values()];
  if (missing.length > 0) throw tellMissing(missing);
}

/** The command that installs packages on Debian and Ubuntu, on a machine that has no lists of packages yet too. */
export function installCommand(packages: readonly Package[]): string {
  const sudo = sudoPrefix();
  const names = quoteAll(packages.map(({ name }) => name));
  return `${sudo}apt-get update && ${sudo}apt-get install -y --no-install-recommends ${names}`;
}

async function packagesFor(target: PackageTarget): Promise<Package[]> {
  if (target === 'docker') return dockerPackages();
  const own = parsePackages(await readFile(ownList, 'utf8'), findArchitecture() ?? 'amd64');
  const wanted = own.filter(({ targets }) => targets.includes(target) && (!targets.includes('user') || !isRoot()));
  if (target !== 'sandbox') return wanted;
  const tools = listNames(await readFile(learnerList, 'utf8'));
  return [...wanted, ...tools.map(({ name }) => ({ name, targets: [], why: 'what a learner finds', optional: false }))];
}

/** The packages of cloud-init/docker.list whose programs this machine lacks. */
async function dockerPackages(): Promise<Package[]> {
  const listed = listNames(await readFile(dockerList, 'utf8'));
  const there = await Promise.all(listed.map(({ program }) => isProgram(program)));
  const lacked = listed.filter((_, index) => !there[index]);
  return lacked.map(({ name, optional }) => ({ name, targets: ['docker'], why: 'chapter docker', optional }));
}

/** Looks for a program in the folders that a sandbox sees. A sandbox does not see /usr/local. */
const isProgram = async (name: string): Promise<boolean> => {
  const places = ['/usr/sbin', '/usr/bin', '/sbin', '/bin'].map((folder) => exists(join(folder, name), constants.X_OK));
  return (await Promise.all(places)).includes(true);
};

/** Reads the lists of cloud-init: a name starts a line, `?` ends one that a release may lack, `#` starts a comment. */
export const listNames = (list: string): { name: string; optional: boolean; program: string }[] =>
  list.split('\n').flatMap((line) => {
    const [word = '', program = ''] = line.replace(/#.*/, '').trim().split(/\s+/);
    return word === '' ? [] : [{ name: word.replace('?', ''), optional: word.endsWith('?'), program }];
  });

/** Reads packages.list; its head says what a line holds. */
export function parsePackages(text: string, processor: string): Package[] {
  const packages: Package[] = [];
  for (const line of text.split('\n')) {
    const match = /^([a-z0-9.+-]+)(?:\[(\w+)\])?(\??)\s+([a-z,]+)\s+(.+)$/.exec(line);
    if (!match) continue;
    const [, name = '', only, optional, targets = '', why = ''] = match;
    if (only !== undefined && only !== processor) continue;
    packages.push({ name, targets: targets.split(','), why, optional: optional === '?' });
  }
  return packages;
}

/** A text that changes when dpkg has installed or removed anything, or when the lists have changed. */
async function dpkgState(needed: readonly Package[]): Promise<string> {
  const { mtimeMs, size } = (await stat('/var/lib/dpkg/status').catch(() => undefined)) ?? { mtimeMs: 0, size: 0 };
  return createHash('sha256')
    .update(JSON.stringify([needed, mtimeMs, size]))
    .digest('hex');
}

async function missingPackages(needed: readonly Package[]): Promise<Package[]> {
  const names = needed.map(({ name }) => name);
  const query = ['dpkg-query', '-W', '-f', '${Package} ${db:Status-Status}\n', ...names];
  const { stdout } = await run(query, { allowFailure: true }).catch(() => notDebian(needed));
  const installed = new Set(stdout.split('\n').flatMap((line) => line.match(/^(\S+) installed$/)?.[1] ?? []));
  const missing = needed.filter(({ name }) => !installed.has(name));
  return withoutUnknown(missing);
}

/** Leaves out optional packages that no apt source has: they do not count as missing. */
async function withoutUnknown(missing: Package[]): Promise<Package[]> {
  const asked = missing.filter(({ optional }) => optional).map(({ name }) => name);
  if (asked.length === 0) return missing;
  const { stdout } = await run(['apt-cache', '-q', 'policy', ...asked], { allowFailure: true });
  const known = new Set(
    Array.from(stdout.matchAll(/^(\S+):\n(?: .*\n)*? {2}Candidate: (?!\(none\))/gm), ([, name]) => name),
  );
  return missing.filter(({ name, optional }) => !optional || known.has(name));
}

function notDebian(needed: readonly Package[]): never {
  throw new LabError({
    what: 'this machine is neither Debian nor Ubuntu: its packages must be installed by hand',
    where: needed.map(({ name }) => name).join(' '),
    next: `less ${ownList}`,
  });
}

function tellMissing(missing: readonly Package[]): LabError {
  const reasons = missing.map(({ name, why }) => `${name} (${why})`).join(', ');
  return new LabError({ what: `packages are missing: ${reasons}`, next: installCommand(missing), exit: EXIT.config });
}

async function install(missing: readonly Package[], work: Work): Promise<void> {
  if (!isRoot()) throw tellMissing(missing);
  const learners = missing.filter(({ why }) => why === 'what a learner finds').map(({ name }) => name);
  const ours = missing.filter(({ name }) => !learners.includes(name)).map(({ name, why }) => `${name} (${why})`);
  if (learners.length > 0) ours.push(`${learners.join(' ')} (what a learner finds on a sandbox)`);
  work.progress.note(`installing ${ours.join(', ')}`);
  await aptInstall(
    missing.map(({ name }) => name),
    installCommand(missing),
    work,
  );
}

/** Packages that would start a daemon, with their units. We need only the programs. */
const daemons: Record<string, readonly string[]> = {
  containerd: ['containerd.service'],
  'docker.io': ['docker.service', 'docker.socket'],
  'openssh-server': ['ssh.service', 'ssh.socket'],
  'libvirt-daemon': ['libvirtd.service', 'libvirtd.socket', 'libvirtd-ro.socket', 'libvirtd-admin.socket'],
  'libvirt-daemon-log': ['virtlogd.service', 'virtlogd.socket', 'virtlogd-admin.socket'],
};

const quiet = { DEBIAN_FRONTEND: 'noninteractive', APT_LISTCHANGES_FRONTEND: 'none', NEEDRESTART_SUSPEND: '1' };

/** How long to wait for another apt-get to finish, in seconds. */
const lockTimeout = '300';

/**
 * Installs packages. If that fails, completes an interrupted apt-get, asks the mirrors for new lists and tries again.
 * Daemons of the packages are neither started nor enabled.
 */
async function aptInstall(names: readonly string[], command: string, work: Work): Promise<void> {
  await work.progress.stage(`Install ${names.length} system packages`, async (note) => {
    const options = {
      env: quiet,
      signal: work.signal,
      onLine: (line: string): void => note(line.slice(0, 100)),
      next: command,
    };
    const apt = (args: string[], allowFailure: boolean): Promise<RunResult> =>
      run(['apt-get', '-q', '-y', '-o', `DPkg::Lock::Timeout=${lockTimeout}`, ...args], { ...options, allowFailure });
    const install = (allowFailure: boolean): Promise<RunResult> =>
      withoutDaemons(names, () => apt(['install', '--no-install-recommends', ...names], allowFailure));
    if ((await install(true)).code === 0) return;
    await run(['dpkg', '--configure', '-a'], { ...options, allowFailure: true });
    // This fails when one source can't be reached. The installation shows whether the other sources are enough.
    await apt(['update'], true);
    await install(false);
  });
}

/** Names what an installation brings in the note for `make clean`, and keeps its daemons from being started or enabled. */
async function withoutDaemons<T>(names: readonly string[], install: () => Promise<T>): Promise<T> {
  const plan = await run(['apt-get', '-s', 'install', '--no-install-recommends', ...names], { allowFailure: true });
  const brought = Array.from(plan.stdout.matchAll(/^Inst (\S+) \(/gm), ([, name]) => name ?? '');
  await noteInstalled(brought);
  const units = await newUnits(brought);
  const systemctl = async (...words: string[]): Promise<void> => {
    if (units.length > 0)
      await run(['systemctl', ...words, '--', ...units], { allowFailure: true }).catch(() => undefined);
  };
  const runs = await exists('/run/systemd/system');
  if (runs) await systemctl('--runtime', 'mask');
  try {
    return await install();
  } finally {
    // Where systemd does not run, as in a container, packages enable their units all the same, for the next boot.
    await systemctl('disable');
    if (runs) await systemctl('--runtime', 'unmask');
  }
}

/** Where `make clean` finds the packages that were installed for us, one a line. */
const installedNote = (): string => join(cacheDir(), 'installed-packages');

/** Adds packages to the note. It is written before they are installed, so that a killed installation is in it too. */
async function noteInstalled(names: readonly string[]): Promise<void> {
  const known = (await readFile(installedNote(), 'utf8').catch(() => '')).split('\n').filter(Boolean);
  const all = [...new Set([...known, ...names])].sort();
  if (all.length > known.length) await writeAtomic(installedNote(), `${all.join('\n')}\n`);
}

/** Units that these packages bring to the machine. Existing units belong to the user. */
async function newUnits(brought: readonly string[]): Promise<string[]> {
  const folders = ['/etc/systemd/system', '/usr/lib/systemd/system', '/lib/systemd/system'];
  const isThere = async (unit: string): Promise<boolean> =>
    (await Promise.all(folders.map((folder) => exists(join(folder, unit))))).includes(true);
  const units = brought.flatMap((name) => daemons[name] ?? []);
  const there = await Promise.all(units.map(isThere));
  return units.filter((_, index) => !there[index]);
}
