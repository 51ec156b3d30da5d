import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';

/** One process until the next boot: a pid alone may have been given to another (proc(5), /proc/pid/stat field 22). */
export interface ProcessId {
  pid: number;
  /** Clock ticks after boot, as the kernel prints them. */
  start: string;
}

/** Start time of a live process; undefined when there is none, or only its zombie. */
export async function startOf(pid: number): Promise<string | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  // The name in field 2 may hold anything, parentheses and spaces too: count from its end.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19];
}

export async function isAlive(id: ProcessId): Promise<boolean> {
  return (await startOf(id.pid)) === id.start;
}

/** The process that a `PID START` file names, when that very process is alive. */
export async function readPidFile(file: string): Promise<ProcessId | undefined> {
  const [pid, start] = (await readFile(file, 'utf8').catch(() => '')).trim().split(' ');
  if (pid === undefined || start === undefined || !/^\d+$/.test(pid)) return undefined;
  const id = { pid: Number(pid), start };
  return (await isAlive(id)) ? id : undefined;
}

/** SIGTERM, then SIGKILL to one that has not gone after `graceMs`. Returns when it has gone. */
export async function endProcess(id: ProcessId, graceMs = 3000): Promise<void> {
  for (const [signal, waitMs] of [
    ['SIGTERM', graceMs],
    ['SIGKILL', 5000],
  ] as const) {
    if (!(await isAlive(id))) return;
    try {
      process.kill(id.pid, signal);
    } catch {
      return; // It went between the look and the signal.
    }
    const deadline = Date.now() + waitMs;
    while ((await isAlive(id)) && Date.now() < deadline) await delay(10);
  }
}
