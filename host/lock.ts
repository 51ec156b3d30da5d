import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { userInfo } from 'node:os';

/** A lock is held until its release or until the process ends in any way: the kernel then frees the socket's name. */
export interface Lock {
  release(): Promise<void>;
}

/**
 * Takes a lock by name and waits for its holder. The lock is an abstract unix socket (unix(7)): a kill -9 leaves no
 * stale file, and the end of the holder wakes a waiter without polling. An abstract socket is visible in one network
 * namespace. The name contains the user's id, so that users do not share locks. `onWait` is called once, before
 * waiting. Throws the signal's reason when aborted.
 */
export async function takeLock(name: string, signal?: AbortSignal, onWait?: () => void): Promise<Lock> {
  const key = createHash('sha256').update(`${userInfo().uid}\n${name}`).digest('hex').slice(0, 24);
  const path = `\0handwired-${key}`;
  let waiting = false;
  for (;;) {
    signal?.throwIfAborted();
    const held = await listen(path);
    if (held) return { release: () => close(held) };
    if (!waiting) onWait?.();
    waiting = true;
    await waitForHolder(path, signal);
  }
}

/** Does work while holding a lock: see `takeLock`, which gets the options. */
export async function underLock<T>(
  name: string,
  { signal, onWait }: { signal?: AbortSignal; onWait?: () => void },
  work: () => Promise<T>,
): Promise<T> {
  const lock = await takeLock(name, signal, onWait);
  try {
    return await work();
  } finally {
    await lock.release();
  }
}

interface Held {
  server: Server;
  waiters: Set<Socket>;
}

/** Takes the name; undefined when another process holds it. */
async function listen(path: string): Promise<Held | undefined> {
  const waiters = new Set<Socket>();
  const server = createServer((socket) => {
    waiters.add(socket);
    socket.on('error', () => undefined).on('close', () => waiters.delete(socket));
    socket.unref();
  });
  server.listen({ path });
  try {
    await once(server, 'listening');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') return undefined;
    throw error;
  }
  server.unref();
  return { server, waiters };
}

async function close({ server, waiters }: Held): Promise<void> {
  const done = once(server, 'close');
  server.close();
  for (const waiter of waiters) waiter.destroy();
  await done;
}

/** Returns when the holder has released the lock or died. */
async function waitForHolder(path: string, signal: AbortSignal | undefined): Promise<void> {
  const socket = connect({ path });
  const end = new Promise<void>((resolve) => {
    socket.on('error', () => resolve()).on('close', () => resolve());
  });
  const abort = (): void => void socket.destroy();
  if (signal?.aborted === true) abort();
  signal?.addEventListener('abort', abort, { once: true });
  try {
    await end;
  } finally {
    signal?.removeEventListener('abort', abort);
  }
}
