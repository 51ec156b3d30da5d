import type { DriverName } from '@handwired/host';
import type { Work } from './driver.ts';
import { drivers } from './drivers/index.ts';
import { ensureImage } from './image/index.ts';
import { ensurePackages, installCommand, missingFor } from './packages.ts';
import { ensureToolchain } from './toolchain/index.ts';
import { isRoot } from './user-namespace.ts';

/**
 * Gets everything that a driver needs on this machine; `docker`: what sandboxes need in addition for chapter docker (on
 * a VM Docker is in the image). What is there already takes milliseconds.
 */
export async function ensureSetup(target: DriverName | 'docker' | 'all', work: Work): Promise<void> {
  if (target === 'docker') return ensurePackages('docker', work);
  if (target !== 'vm') await ensurePackages('sandbox', work);
  if (target === 'sandbox') return ensureDocker(work);
  await ensureVm(work);
  if (target === 'all') await ensureDocker(work);
}

/** What VMs take. All that only an administrator can give is asked for before anything is compiled. */
async function ensureVm(work: Work): Promise<void> {
  await drivers.vm.requireMachine({}, work);
  await ensurePackages('vm', work);
  await sideBySide(work, [ensureToolchain, ensureImage]);
}

/** Docker for sandboxes, as far as it can be had: all chapters but one do without it. */
async function ensureDocker(work: Work): Promise<void> {
  if (isRoot()) return ensurePackages('docker', work);
  const missing = await missingFor('docker');
  if (missing.length > 0) work.progress.note(`for chapter docker an administrator types: ${installCommand(missing)}`);
}

/** Does works at the same time. The first error ends the others, and is thrown when all have ended. */
async function sideBySide(work: Work, tasks: ((work: Work) => Promise<unknown>)[]): Promise<void> {
  const stop = new AbortController();
  const signal = AbortSignal.any([work.signal, stop.signal]);
  await Promise.allSettled(
    tasks.map((task) =>
      task({ ...work, signal }).catch((error: unknown) => {
        stop.abort(error);
        throw error;
      }),
    ),
  );
  if (stop.signal.aborted) throw stop.signal.reason;
}
