import { constants, mkdir, readdir, readFile, rmdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { readErrno, exists, LabError } from '@handwired/host';
import { killProcess, readNamespacePids } from './init-process.ts';

/** The most that one sandbox may use, so that a fork bomb or a memory hog in it does not take the whole machine. */
export interface Limits {
  processes: number;
  memoryMiB: number;
}

const top = '/sys/fs/cgroup';

/** A cgroup tree, of version 1 (one tree for each controller) or 2 (one tree), and the files that hold its limits. */
interface Tree {
  folder: string;
  limits: (limits: Limits) => Record<string, string>;
  usage?: string;
}

const bytes = ({ memoryMiB }: Limits): string => String(memoryMiB * 1024 * 1024);

/** The cgroup trees in which this machine can put a sandbox; none when cgroups can't be written. See cgroups(7). */
async function trees(): Promise<Tree[]> {
  const found: Tree[] = [];
  const enabled = await readFile(join(top, 'cgroup.subtree_control'), 'utf8').catch(() => '');
  if (/\bmemory\b/.test(enabled) && /\bpids\b/.test(enabled)) {
    const limits = (wanted: Limits) => ({ 'pids.max': String(wanted.processes), 'memory.max': bytes(wanted) });
    found.push({ folder: top, limits, usage: 'memory.current' });
  } else {
    const memory = (wanted: Limits) => ({ 'memory.limit_in_bytes': bytes(wanted) });
    found.push({ folder: join(top, 'pids'), limits: (wanted) => ({ 'pids.max': String(wanted.processes) }) });
    found.push({ folder: join(top, 'memory'), limits: memory, usage: 'memory.usage_in_bytes' });
    // Version 2 beside version 1, without controllers. A sandbox mounts this tree, and its containers are in it.
    found.push({ folder: join(top, 'unified'), limits: () => ({}) });
  }
  const usable = await Promise.all(found.map(({ folder }) => exists(join(folder, 'cgroup.procs'), constants.W_OK)));
  return found.filter((_, index) => usable[index]);
}

/** What a sandbox's cgroups are named after. */
export interface SandboxId {
  /** The lab's name. */
  name: string;
  instance: string;
}

const makeCgroupName = ({ name, instance }: SandboxId): string => `handwired-${name}-${instance}`;

/** Makes the sandbox's cgroups and returns their folders: fewer or none when the machine does not offer them. */
export async function makeCgroups(id: SandboxId, limits: Limits): Promise<string[]> {
  const made: string[] = [];
  for (const tree of await trees()) {
    const folder = join(tree.folder, makeCgroupName(id));
    try {
      await mkdir(folder, { recursive: true });
      for (const [file, value] of Object.entries(tree.limits(limits))) await writeFile(join(folder, file), value);
      made.push(folder);
    } catch {
      // This tree is read-only or delegated to someone else: the sandbox runs without this limit.
      await rmdir(folder).catch(() => undefined);
    }
  }
  return made;
}

const parents = [top, ...['pids', 'memory', 'unified'].map((tree) => join(top, tree))];

/** A command that makes a sandbox puts a process into a new cgroup at once. */
const FRESH_MS = 10_000;

/**
 * The sandboxes of which a cgroup is left without a sandbox in it: empty, or with programs that had entered one. Those
 * that were made just now are left out.
 */
export async function listLeftCgroups(): Promise<SandboxId[]> {
  const found = new Map<string, SandboxId>();
  for (const parent of parents) {
    for (const entry of await readdir(parent).catch(() => [])) {
      const [, name, instance] = /^handwired-([a-z0-9-]+)-([0-9a-f]{8,32})$/.exec(entry) ?? [];
      if (name === undefined || instance === undefined || found.has(entry)) continue;
      const { mtimeMs } = await stat(join(parent, entry)).catch(() => ({ mtimeMs: Date.now() }));
      const isLeft = Date.now() - mtimeMs > FRESH_MS && !(await holdsNamespace(join(parent, entry)));
      if (isLeft) found.set(entry, { name, instance });
    }
  }
  return [...found.values()];
}

/** Whether a process in the cgroup is in another pid namespace than ours, as those of a sandbox are. */
async function holdsNamespace(folder: string): Promise<boolean> {
  const pids = await readFile(join(folder, 'cgroup.procs'), 'utf8').catch(() => '');
  const own = pids.split('\n').filter((line) => line !== '');
  const levels = await Promise.all(own.map((pid) => readNamespacePids(Number(pid))));
  return levels.some((each) => each.length !== 1);
}

/** The cgroups that this sandbox has now. */
export async function findCgroups(id: SandboxId): Promise<string[]> {
  const folders = parents.map((folder) => join(folder, makeCgroupName(id)));
  const there = await Promise.all(folders.map((folder) => exists(folder)));
  return folders.filter((_, index) => there[index]);
}

/** Memory that the sandbox uses now, its files in memory included; undefined without a memory cgroup. */
export async function memoryUsedMiB(id: SandboxId): Promise<number | undefined> {
  for (const { folder, usage } of await trees()) {
    if (usage === undefined) continue;
    const text = await readFile(join(folder, makeCgroupName(id), usage), 'utf8').catch(() => undefined);
    if (text !== undefined) return Math.ceil(Number(text) / 1024 / 1024);
  }
  return undefined;
}

/**
 * Kills every process in a cgroup, also the nsenter of each session. An nsenter is outside the sandbox's pid namespace,
 * so it does not end with the init. It stops when its child stops, and while it is stopped, that namespace can't end.
 */
export async function killMembers(folder: string): Promise<void> {
  const pids = await readFile(join(folder, 'cgroup.procs'), 'utf8').catch(() => '');
  for (const pid of pids.split('\n').filter((line) => line !== '' && line !== '0')) killProcess(Number(pid));
}

/**
 * Removes a cgroup without processes, and the cgroups that Docker made in it. The kernel empties a cgroup a moment
 * after its last process has ended.
 */
export async function removeCgroup(folder: string): Promise<void> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  for (const entry of entries) if (entry.isDirectory()) await removeCgroup(join(folder, entry.name));
  const deadline = performance.now() + 5_000;
  for (;;) {
    try {
      await rmdir(folder);
      return;
    } catch (error) {
      const code = readErrno(error);
      if (code === 'ENOENT') return;
      if (code !== 'EBUSY' || performance.now() > deadline) {
        throw new LabError({
          what: 'the cgroup can not be removed',
          where: folder,
          next: `cat ${folder}/cgroup.procs`,
          cause: error,
        });
      }
    }
    await delay(5);
  }
}
