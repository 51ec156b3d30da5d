import { statfs } from 'node:fs/promises';
import { homedir } from 'node:os';
import { type DriverName, readFreeMemoryMiB } from '@handwired/host';
import type { Driver, Work } from './driver.ts';
import { drivers } from './drivers/index.ts';
import { probeAcceleration } from './drivers/vm/acceleration.ts';
import { chooseHypervisor, findPrivateRefusal } from './drivers/vm/hypervisor.ts';
import { ensureImage } from './image/index.ts';
import { ensurePackages, installCommand, missingFor } from './packages.ts';
import { ensureToolchain } from './toolchain/index.ts';
import { isRoot } from './user-namespace.ts';

/** Memory that one small VM needs, and disk space that toolchain, image and build need together. */
const memoryMiB = 768;
const diskMiB = 4096;

/**
 * Chooses the driver for a new lab, and says in one line why. `auto` takes `vm` on a machine that can boot a VM, even
 * an emulated one (TCG), and `sandbox` on other machines.
 */
export async function chooseDriver(wanted: 'auto' | DriverName, work: Work): Promise<{ driver: Driver; why: string }> {
  if (wanted !== 'auto') return { driver: drivers[wanted], why: 'as asked for' };
  const obstacle = await findVmObstacle(work.signal);
  if (obstacle !== undefined) return { driver: drivers.sandbox, why: `no VM can run here: ${obstacle}` };
  return { driver: drivers.vm, why: await describeVms(work) };
}

/** The first reason why this machine can't run a VM; undefined when it can. */
async function findVmObstacle(signal: AbortSignal): Promise<string | undefined> {
  if (process.arch !== 'x64' && process.arch !== 'arm64') return `no toolchain is made for ${process.arch}`;
  const missing = await missingFor('vm');
  if (missing.length > 0 && !isRoot())
    return `not root, and these packages are missing: ${missing.map(findName).join(' ')}`;
  const { kind } = await chooseHypervisor(undefined, signal);
  const refusal = kind === 'private' ? await findPrivateRefusal(signal) : undefined;
  if (refusal) return refusal.what;
  const memory = await readFreeMemoryMiB();
  if (memory < memoryMiB) return `${memory} MiB of memory are free, a VM takes ${memoryMiB}`;
  const { bavail, bsize } = await statfs(homedir()).catch(() => ({ bavail: 0, bsize: 0 }));
  const disk = Math.floor((bavail * bsize) / 2 ** 20);
  return disk < diskMiB ? `${disk} MiB of disk are free under ${homedir()}, a VM takes ${diskMiB}` : undefined;
}

async function describeVms(work: Work): Promise<string> {
  // Without QEMU nothing can be probed yet. Making the VM probes again.
  if ((await missingFor('vm')).length > 0) return 'VMs can run here, once their packages are installed';
  const { accelerator, why } = await probeAcceleration(work);
  return accelerator === 'kvm' ? why : `a VM can be emulated here (TCG): ${why}`;
}

const findName = ({ name }: { name: string }): string => name;

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
