import { readdir, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { Conditions, connect, type Endpoint, type LabSpec, readStartTime, type Session, silent } from '@handwired/host';
import { sandbox } from '../../infra/drivers/sandbox/index.ts';
import type { Work } from '../../infra/driver.ts';
import { ownStateOf, testSpec } from '../driver-labs.ts';

/** Why tests of sandboxes can't run here; false when they can. For the `skip` option of node:test. */
export const noSandbox = process.getuid?.() === 0 ? false : 'needs root: makes network namespaces';

export const work = (ms = 30_000): Work => ({ progress: silent, signal: AbortSignal.timeout(ms) });

/** A lab's spec with an instance of its own. */
export const specOf = (name: string, conditions: Partial<Conditions> = {}): LabSpec =>
  testSpec('sandbox', name, { memoryMiB: 256, conditions: Conditions.parse(conditions) });

export const ownState = (): Promise<() => Promise<void>> => ownStateOf(sandbox, work);

export interface Lab {
  spec: LabSpec;
  endpoint: Endpoint;
  session: Session;
  /** stdout of a command line that must succeed. */
  sh(command: string): Promise<string>;
  end(): Promise<void>;
}

/** A sandbox that is up, with a session to it. */
export async function labOf(spec: LabSpec): Promise<Lab> {
  const endpoint = await sandbox.up(spec, work());
  const session = await connect(endpoint);
  return {
    spec,
    endpoint,
    session,
    sh: async (command) => {
      const { code, stdout, stderr } = await session.exec(command);
      if (code !== 0) throw new Error(`${command}: ${code ?? 'signal'}\n${stdout}${stderr}`);
      return stdout;
    },
    end: async () => {
      session.close();
      await sandbox.destroy(spec, work());
    },
  };
}

/** What of this instance can be seen on the machine: processes, cgroups, mounts. */
export async function traces({ instance, name }: LabSpec): Promise<Record<string, string[]>> {
  const pids = (await readdir('/proc')).filter((entry) => /^\d+$/.test(entry));
  const lines = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')));
  const mounts = (await readFile('/proc/self/mountinfo', 'utf8')).split('\n');
  return {
    processes: lines.filter((line) => line.includes(`handwired-sandbox=${instance}`)),
    cgroups: await cgroupsOf(instance),
    mounts: mounts.filter((line) => line.includes(`/labs/${name}/`) || line.includes(' - tmpfs handwired ')),
  };
}

async function cgroupsOf(instance: string): Promise<string[]> {
  const trees = ['', 'pids', 'memory', 'unified'].map((tree) => join('/sys/fs/cgroup', tree));
  const found = await Promise.all(trees.map((tree) => readdir(tree).catch(() => [])));
  return found.flat().filter((entry) => entry.includes(instance));
}

/** Namespaces of a process, as `net:[4026532001]`. */
export async function namespacesOf(pid: number): Promise<string[]> {
  const kinds = ['net', 'mnt', 'pid', 'uts', 'ipc', 'cgroup'];
  return Promise.all(kinds.map((kind) => readlink(`/proc/${pid}/ns/${kind}`)));
}

/**
 * Processes that are in one of these namespaces and that began before a clock tick. The kernel gives the number of a
 * namespace that has ended to a new one, which may be another lab's.
 */
export async function membersOf(namespaces: ReadonlySet<string>, before: number): Promise<number[]> {
  const pids = (await readdir('/proc')).filter((entry) => /^\d+$/.test(entry)).map(Number);
  const members = await Promise.all(
    pids.map(async (pid) => {
      const own = await namespacesOf(pid).catch(() => []);
      const start = Number((await readStartTime(pid)) ?? Infinity);
      return start < before && own.some((namespace) => namespaces.has(namespace)) ? [pid] : [];
    }),
  );
  return members.flat();
}
