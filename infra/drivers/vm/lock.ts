import { takeLock } from '@handwired/host';
import type { Work } from '../../driver.ts';
import { filesOf } from './names.ts';

/** One command at a time works on a lab; the next one waits. */
export const withLab = async <T>(lab: string, work: Work, action: () => Promise<T>): Promise<T> => {
  const lock = await takeLock(`vm ${filesOf(lab).folder}`, work.signal, () =>
    work.progress.note(`another command is at work on lab ${lab}; waiting for it`),
  );
  try {
    return await action();
  } finally {
    await lock.release();
  }
};
