import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { readErrno, findProcesses, isAlive, LabError, type ProcessId, readBootId } from '@handwired/host';

/** A sandbox's init: one process and no other, in whatever boot of the machine. */
export interface InitProcess extends ProcessId {
  /** The boot in which it was started: see `readBootId`. */
  boot: string;
}

/** The argument that stands in the command line of a sandbox's init and of what starts it. */
export const readMark = (instance: string): string => `handwired-sandbox=${instance}`;

/** Reads the file that init.sh writes first of all. Absent or damaged: undefined. */
export async function readInit(file: string): Promise<InitProcess | undefined> {
  const text = await readFile(file, 'utf8').catch(() => '');
  const [, pid, start, boot] = /^(\d+) (\d+) ([0-9a-f-]{36})\n$/.exec(text) ?? [];
  return pid && start && boot ? { pid: Number(pid), start, boot } : undefined;
}

/** Whether exactly this process still runs. A zombie does not: when an init is one, its whole pid namespace has ended. */
export const isRunning = async (init: InitProcess): Promise<boolean> =>
  (await readBootId()) === init.boot && (await isAlive(init));

/**
 * Ends every process that carries the mark, and returns their pids. It looks again until none is left: one may start
 * another while /proc is read, and one whose starter was killed is written in no file.
 */
export async function endMarked(mark: string): Promise<number[]> {
  const ended: number[] = [];
  for (;;) {
    const found = await findProcesses('cmdline', mark);
    if (found.length === 0) return ended;
    await Promise.all(found.map(killAndWait));
    ended.push(...found.map(({ pid }) => pid));
  }
}

/** Kills an init, and with it all of its pid namespace (pid_namespaces(7)). Returns when it is gone; LabError: it stays. */
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

/** SIGKILL; a process that is gone is no error. */
export function killProcess(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if (readErrno(error) !== 'ESRCH') throw error;
  }
}
