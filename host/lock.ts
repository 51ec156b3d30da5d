import { createHash } from 'node:crypto';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { userInfo } from 'node:os';
import { once } from 'node:events';

/** Held until released, or until the process dies in any way: the kernel frees the name with the socket. */
export interface Lock {
  release(): Promise<void>;
}

/**
 * Takes a lock by name, waiting for whoever holds it. An abstract unix socket (unix(7)) is the lock: no file to go
 * stale after a kill -9, and a waiter is woken by the holder's end, not by polling.
 * It is known within one network namespace, as abstract sockets are, and to one user.
 * `onWait` is called once, before waiting. Throws the signal's reason when aborted.
 */
export async function takeLock(name: string, signal?: AbortSignal, onWait?: () => void): Promise<Lock> {
  const key = createHash('sha256').update(`${userInfo().uid}\n${name}`).digest('hex').slice(0, 24);
  const path = `\0handwired-${key}`;
  let told = false;
  for (;;) {
    signal?.throwIfAborted();
    const held = await listen(path);
    if (held) return { release: () => close(held) };
    if (!told) onWait?.();
    told = true;
    await holderGone(path, signal);
  }
}

interface Held {
  server: Server;
  waiters: Set<Socket>;
}

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

async function holderGone(path: string, signal: AbortSignal | undefined): Promise<void> {
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
