import { statfs } from 'node:fs/promises';
import { homedir } from 'node:os';
import { type DriverName, readFreeMemoryMiB } from '@handwired/host';
import type { Driver, Work } from './driver.ts';
import { drivers } from './drivers/index.ts';
import { probeAcceleration } from './drivers/vm/acceleration.ts';
import { canBePrivate, chooseHypervisor } from './drivers/vm/hypervisor.ts';
import { ensureImage } from './image/index.ts';
import { ensurePackages, missingFor } from './packages.ts';
import { ensureToolchain } from './toolchain/index.ts';

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
  const root = process.getuid?.() === 0;
  const missing = await missingFor('vm');
  if (missing.length > 0 && !root)
    return `not root, and these packages are missing: ${missing.map(findName).join(' ')}`;
  const { kind } = await chooseHypervisor(undefined, signal);
  if (kind === 'private' && !root) return "no system libvirt answers, and a private one takes root's rights";
  if (kind === 'private' && !(await canBePrivate())) return 'the kernel refuses network and mount namespaces';
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
  if (target === 'sandbox') return ensurePackages('docker', work);
  await ensurePackages('vm', work);
  await ensureToolchain(work);
  await ensureImage(work);
  if (target === 'all') await ensurePackages('docker', work);
}
