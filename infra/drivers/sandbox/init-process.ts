import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { LabError } from '@handwired/host';

/** One process and no other: a pid is used again, a pid with its start time in one boot is not (proc(5), stat field 22). */
export interface InitProcess {
  pid: number;
  /** Clock ticks since boot. */
  start: string;
  /** /proc/sys/kernel/random/boot_id. */
  boot: string;
}

/** The argument that stands in the command line of a sandbox's init and of what starts it. */
export const markOf = (instance: string): string => `handwired-sandbox=${instance}`;

/** Reads the file that init.sh writes first of all. Absent or damaged: undefined. */
export async function readInit(file: string): Promise<InitProcess | undefined> {
  const text = await textOf(file);
  const [, pid, start, boot] = /^(\d+) (\d+) ([0-9a-f-]{36})\n$/.exec(text ?? '') ?? [];
  return pid && start && boot ? { pid: Number(pid), start, boot } : undefined;
}

/** Whether exactly this process still runs. A zombie does not: when an init is one, its whole pid namespace has ended. */
export async function isRunning(init: InitProcess): Promise<boolean> {
  const [boot, now] = await Promise.all([textOf('/proc/sys/kernel/random/boot_id'), startOf(init.pid)]);
  return boot?.trim() === init.boot && now === init.start;
}

/** Every running process that carries the mark as an argument: also one whose starter was killed before it could tell. */
async function findMarked(mark: string): Promise<InitProcess[]> {
  const boot = (await textOf('/proc/sys/kernel/random/boot_id'))?.trim() ?? '';
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const found = await Promise.all(
    pids.map(async (pid) => {
      const words = (await textOf(`/proc/${pid}/cmdline`))?.split('\0') ?? [];
      const start = words.includes(mark) ? await startOf(pid) : undefined;
      return start === undefined ? [] : [{ pid, start, boot }];
    }),
  );
  return found.flat();
}

/** Ends every process that carries the mark, until none is left: one may start another while the list is read. */
export async function endMarked(mark: string): Promise<number[]> {
  const ended: number[] = [];
  for (let found = await findMarked(mark); found.length > 0; found = await findMarked(mark)) {
    await Promise.all(found.map(endInit));
    ended.push(...found.map(({ pid }) => pid));
  }
  return ended;
}

/** Kills a process, with it all of its pid namespace (pid_namespaces(7)), and waits until both are gone. */
export async function endInit(init: InitProcess): Promise<void> {
  const deadline = performance.now() + 10_000;
  for (;;) {
    if (!(await isRunning(init))) return;
    signalProcess(init.pid);
    if (performance.now() > deadline) {
      throw new LabError({
        what: `process ${init.pid} does not end`,
        where: `/proc/${init.pid}`,
        next: `cat /proc/${init.pid}/stack`,
      });
    }
    await delay(3);
  }
}

/** SIGKILL; a process that is gone is no error. */
export function signalProcess(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Start time of a process that is neither gone nor a zombie. */
async function startOf(pid: number): Promise<string | undefined> {
  const stat = await textOf(`/proc/${pid}/stat`);
  if (stat === undefined) return undefined;
  // After the last `)`, because a command's name may hold anything: fields 3 and on.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19];
}

async function textOf(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ESRCH') return undefined;
    throw error;
  }
}
