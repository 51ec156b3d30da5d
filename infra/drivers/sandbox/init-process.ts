import { readFile, stat } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { readErrno, findProcesses, isAlive, LabError, type ProcessId, readBootId, readWords } from '@handwired/host';
import { type Owner, readOwner } from '../shared/owner.ts';

/** Identifies a sandbox's init process, also across boots of the machine. */
export interface InitProcess extends ProcessId {
  /** The boot in which it was started: see `readBootId`. */
  boot: string;
}

const markName = 'handwired-sandbox=';

/** The argument by which a sandbox's init and its launcher are recognized in their command lines. */
export const readMark = (instance: string): string => `${markName}${instance}`;

/** Reads the file that init.sh writes before anything else; undefined when it is absent or damaged. */
export async function readInit(file: string): Promise<InitProcess | undefined> {
  const text = await readFile(file, 'utf8').catch(() => '');
  const [, pid, start, boot] = /^(\d+) (\d+) ([0-9a-f-]{36})\n$/.exec(text) ?? [];
  return pid && start && boot ? { pid: Number(pid), start, boot } : undefined;
}

/** Whether exactly this process still runs. A zombie does not: its whole pid namespace has ended. */
export const isRunning = async (init: InitProcess): Promise<boolean> =>
  (await readBootId()) === init.boot && (await isAlive(init));

/** A sandbox that runs, or is being started: whose it is, and its init or launcher. */
export interface FoundSandbox {
  name: string;
  instance: string;
  owner: Owner;
  pids: number[];
}

/**
 * Every sandbox of other users. A plain user can't read the environment of their processes, but can read the name of
 * their cgroup and whose they are.
 */
export async function findInitsOfOthers(): Promise<(Omit<FoundSandbox, 'owner'> & { user: string })[]> {
  const found = new Map<string, Omit<FoundSandbox, 'owner'> & { user: string }>();
  for (const { pid } of await findProcesses('cmdline', (word) => word.startsWith(markName))) {
    const cgroup = await readFile(`/proc/${pid}/cgroup`, 'utf8').catch(() => '');
    const [, name, instance] = /\/handwired-([a-z0-9-]+)-([0-9a-f]{8,32})(?:\/|$)/m.exec(cgroup) ?? [];
    const { uid } = await stat(`/proc/${pid}`).catch(() => ({ uid: process.getuid?.() }));
    if (name === undefined || instance === undefined || uid === process.getuid?.()) continue;
    if (await isInitOrLauncher(pid))
      found.set(instance, { name, instance, pids: [pid], user: uid === 0 ? 'root' : `user ${uid}` });
  }
  return [...found.values()];
}

/** Every sandbox of this machine, by the marks in the process table. */
export async function findInits(): Promise<FoundSandbox[]> {
  const found = new Map<string, FoundSandbox>();
  for (const { pid } of await findProcesses('cmdline', (word) => word.startsWith(markName))) {
    const mark = (await readWords(pid, 'cmdline')).find((word) => word.startsWith(markName)) ?? '';
    const [, instance] = /^handwired-sandbox=([0-9a-f]{8,32})$/.exec(mark) ?? [];
    const owner = (await isInitOrLauncher(pid)) ? await readOwner(pid) : undefined;
    if (instance === undefined || !owner) continue;
    const known = found.get(instance);
    if (known) known.pids.push(pid);
    else found.set(instance, { name: owner.lab, instance, owner, pids: [pid] });
  }
  return [...found.values()];
}

/**
 * Whether a process is in our pid namespace, or the first of one directly below it: what a learner starts in a sandbox
 * is neither, whatever it calls itself (proc_pid_status(5), NSpid).
 */
async function isInitOrLauncher(pid: number): Promise<boolean> {
  const pids = await readNamespacePids(pid);
  return pids.length === 1 || (pids.length === 2 && pids[1] === '1');
}

/** A process's pids, from our pid namespace down to its own; none when there is no such process. */
export async function readNamespacePids(pid: number): Promise<string[]> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return /^NSpid:\s+(.+)$/m.exec(status)?.[1]?.split(/\s+/) ?? [];
}

/**
 * Ends every process that carries the mark, and returns their pids. It looks again until none is left, because a
 * process may start another one while /proc is read. No file names a process whose launcher was killed, so it reads
 * /proc.
 */
export async function endMarked(mark: string): Promise<number[]> {
  const ended: number[] = [];
  for (;;) {
    const found = await findProcesses('cmdline', (word) => word === mark);
    if (found.length === 0) return ended;
    await Promise.all(found.map(killAndWait));
    ended.push(...found.map(({ pid }) => pid));
  }
}

/** Kills an init and so its whole pid namespace (pid_namespaces(7)). Returns when it has ended. LabError: it stays. */
export async function endInit(init: InitProcess): Promise<void> {
  if (await isRunning(init)) await killAndWait(init);
}

async function killAndWait(id: ProcessId): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (await isAlive(id)) {
    killProcess(id.pid);
    if (performance.now() > deadline) {
      throw new LabError({
        what: `process ${id.pid} does not end`,
        where: `/proc/${id.pid}`,
        next: `cat /proc/${id.pid}/stack`,
      });
    }
    await delay(3);
  }
}

/** Sends SIGKILL. A process that has ended is not an error. */
export function killProcess(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if (readErrno(error) !== 'ESRCH') throw error;
  }
}
