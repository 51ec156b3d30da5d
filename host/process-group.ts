import type { Readable } from 'node:stream';

/** Groups of commands that run now: they end with us, however we end, except by kill -9. */
const groups = new Set<number>();
process.on('exit', () => {
  for (const pid of groups) signalGroup(pid, 'SIGTERM');
});

/** Sends a signal to a process group, by its leader's pid; one that has gone is no error. */
export function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // It has gone.
  }
}

/** The part of a ChildProcess that is used here. It leads a process group of its own. */
interface Leader {
  readonly pid?: number | undefined;
  readonly spawnfile: string;
  readonly stdout: Readable | null;
  readonly stderr: Readable | null;
  once(event: 'exit', listener: () => void): unknown;
}

interface Limits {
  /** Bytes of each stream. */
  maxBytes: number;
  timeoutMs?: number;
  signal?: AbortSignal;
}

interface Watch {
  /** Call it when the command has ended. */
  release: () => void;
  /** Why the command was ended by us; undefined: it was not. */
  stopped: () => string | undefined;
  /** What it has written so far, within its limit. */
  text: (stream: 'stdout' | 'stderr') => string;
}

/** Reads a command's output, and ends its process group when its time is over, it has said too much, or the signal says so. */
export function watchOver(child: Leader, { maxBytes, timeoutMs, signal }: Limits): Watch {
  const { pid } = child;
  if (pid === undefined) return { release: () => undefined, stopped: () => undefined, text: () => '' };
  groups.add(pid);
  let why: string | undefined;
  const timers: NodeJS.Timeout[] = [];
  const stop = (reason: string): void => {
    why ??= reason;
    signalGroup(pid, 'SIGTERM');
    timers.push(setTimeout(signalGroup, 2000, pid, 'SIGKILL'));
    child.once('exit', () => {
      signalGroup(pid, 'SIGKILL');
      // What has left the group, a daemon, may hold these open for ever.
      child.stdout?.destroy();
      child.stderr?.destroy();
    });
  };
  const late = `${child.spawnfile} had not ended after ${(timeoutMs ?? 0) / 1000} s`;
  if (timeoutMs !== undefined) timers.push(setTimeout(stop, timeoutMs, late));
  const kept = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
  for (const name of ['stdout', 'stderr'] as const) {
    let size = 0;
    child[name]?.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= maxBytes) kept[name].push(chunk);
      else stop(`${child.spawnfile} wrote more than ${maxBytes} bytes`);
    });
  }
  const text = (stream: 'stdout' | 'stderr'): string => Buffer.concat(kept[stream]).toString('utf8');
  const abort = (): void => stop('aborted');
  signal?.addEventListener('abort', abort, { once: true });
  const release = (): void => {
    groups.delete(pid);
    timers.forEach(clearTimeout);
    signal?.removeEventListener('abort', abort);
  };
  return { release, stopped: () => why, text };
}
