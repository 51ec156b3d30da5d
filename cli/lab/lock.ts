import { labDir, underLock } from '@handwired/host';
import type { Context } from '../context.ts';

/**
 * Does work while no other `lab` command works on the same lab; waits for one that does. A lab of that name in another
 * state folder is another lab.
 */
export function withLock<T>(name: string, context: Context, work: () => Promise<T>): Promise<T> {
  const onWait = (): void => context.progress.note(`another lab command is at work on ${name}; waiting for it to end`);
  return underLock(`lab ${labDir(name)}`, { signal: context.signal, onWait }, work);
}
