import { labDir, takeLock } from '@handwired/host';
import type { Context } from '../context.ts';

/**
 * Does work while no other `lab` command works on the same lab; waits for one that does. A lab of that name in another
 * state folder is another lab.
 */
export async function withLock<T>(name: string, context: Context, work: () => Promise<T>): Promise<T> {
  const waiting = (): void => context.progress.note(`another lab command is at work on ${name}; waiting for it to end`);
  const lock = await takeLock(`lab ${labDir(name)}`, context.signal, waiting);
  try {
    return await work();
  } finally {
    await lock.release();
  }
}
