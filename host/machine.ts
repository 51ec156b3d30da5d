import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';

/** Memory that this machine can give to new processes, in MiB: MemAvailable of proc_meminfo(5). */
export async function readFreeMemoryMiB(): Promise<number> {
  const text = await readFile('/proc/meminfo', 'utf8');
  return Math.floor(Number(/^MemAvailable:\s+(\d+) kB$/m.exec(text)?.[1] ?? 0) / 1024);
}

/** The id of this boot of the machine: random(4), boot_id. */
export const readBootId = async (): Promise<string> =>
  (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();

/** Identifies one process until the next boot. A pid alone may be used again (proc(5), /proc/PID/stat). */
export interface ProcessId {
  pid: number;
  /** Field 22 of stat: clock ticks after boot, as the kernel prints them. */
  start: string;
}

/** Start time of a live process; undefined when there is none, or only its zombie. */
export async function readStartTime(pid: number): Promise<string | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  // The name in field 2 may hold anything, parentheses and spaces too: count from its end.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19];
}

/** Whether exactly this process still runs. A zombie does not. */
export const isAlive = async (id: ProcessId): Promise<boolean> => (await readStartTime(id.pid)) === id.start;

/** The process that a file with `PID START` in it names, when that very process is alive. */
export async function readPidFile(file: string): Promise<ProcessId | undefined> {
  const [pid, start] = (await readFile(file, 'utf8').catch(() => '')).trim().split(' ');
  if (pid === undefined || start === undefined || !/^\d+$/.test(pid)) return undefined;
  const id = { pid: Number(pid), start };
  return (await isAlive(id)) ? id : undefined;
}

/**
 * Every live process that has such a word in its arguments (`cmdline`) or, as `NAME=value`, in its environment
 * (`environ`). This process itself is left out.
 */
export async function findProcesses(
  file: 'cmdline' | 'environ',
  isWanted: (word: string) => boolean,
): Promise<ProcessId[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const found = await Promise.all(
    pids.map(async (pid) => {
      if (pid === process.pid || !(await readWords(pid, file)).some(isWanted)) return [];
      const start = await readStartTime(pid);
      return start === undefined ? [] : [{ pid, start }];
    }),
  );
  return found.flat();
}

/** A process's arguments or environment; empty when there is no such process. */
export const readWords = async (pid: number, file: 'cmdline' | 'environ'): Promise<string[]> =>
  (await readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '')).split('\0');

/** Sends SIGTERM, then SIGKILL if the process runs after `graceMs`. Waits for its end, at most 5 s after SIGKILL. */
export async function endProcess(id: ProcessId, graceMs = 3000): Promise<void> {
  for (const [signal, waitMs] of [
    ['SIGTERM', graceMs],
    ['SIGKILL', 5000],
  ] as const) {
    if (!(await isAlive(id))) return;
    try {
      process.kill(id.pid, signal);
    } catch {
      return; // The process ended before the signal reached it.
    }
    const deadline = Date.now() + waitMs;
    while ((await isAlive(id)) && Date.now() < deadline) await delay(10);
  }
}
