import type { DriverName } from '@handwired/host';
import type { Driver, Remains, Work } from './driver.ts';
import type { Finding } from './doctor.ts';
import type { OrphanReport } from './orphans.ts';
import type { Image, Verified } from './image/index.ts';

export type { Driver, DriverStatus, Remains, Work } from './driver.ts';
export type { Finding } from './doctor.ts';
export type { OrphanReport } from './orphans.ts';
export type { Image } from './image/index.ts';
export { drivers } from './drivers/index.ts';

// Each of these functions loads its code when it is called, so that `lab status` stays fast.

/** The driver for a new lab and, in one line, why. `auto`: what is ready soonest. */
export async function chooseDriver(wanted: 'auto' | DriverName, work: Work): Promise<{ driver: Driver; why: string }> {
  return (await import('./choice.ts')).chooseDriver(wanted, work);
}

/** Why this machine can't run lab hosts of a kind; undefined when it can. */
export async function findObstacle(driver: DriverName, signal: AbortSignal): Promise<string | undefined> {
  return (await import('./choice.ts')).findObstacle(driver, signal);
}

/** Gets what a driver or chapter docker needs on this machine: packages, and for VMs the toolchain and the image. */
export async function ensureSetup(target: DriverName | 'docker' | 'all', work: Work): Promise<void> {
  return (await import('./setup.ts')).ensureSetup(target, work);
}

/** What is left of labs whose state is lost. A lab that is well in another state folder is not among it. */
export async function findOrphans(signal: AbortSignal): Promise<Remains[]> {
  return (await import('./orphans.ts')).findOrphans(signal);
}

/** The same, as a user reads it, each with the command that removes it. */
export async function describeOrphans(signal: AbortSignal): Promise<OrphanReport[]> {
  const { findOrphans, describeOrphan } = await import('./orphans.ts');
  return Promise.all((await findOrphans(signal)).map((each) => describeOrphan(each, signal)));
}

/** Whatever carries the mark of a lab on this machine and on hypervisors, also of labs that are well. */
export async function findRemains(signal: AbortSignal): Promise<Remains[]> {
  return (await import('./orphans.ts')).findRemains(signal);
}

/** What this machine has and lacks, each with the command that mends it. Changes nothing. */
export async function diagnose(signal: AbortSignal): Promise<Finding[]> {
  return (await import('./doctor.ts')).diagnose(signal);
}

/** Disk images of lab hosts. `verify` builds one twice and compares the bits. `prune` keeps that of today's inputs. */
export const images = {
  build: async (work: Work): Promise<Image> => (await import('./image/index.ts')).images.build(work),
  verify: async (work: Work): Promise<Verified> => (await import('./image/index.ts')).images.verify(work),
  list: async (): Promise<Image[]> => (await import('./image/index.ts')).images.list(),
  prune: async (work: Work): Promise<string[]> => (await import('./image/index.ts')).images.prune(work),
};
