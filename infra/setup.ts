import type { DriverName } from '@handwired/host';
import type { Work } from './driver.ts';
import { ensureImage } from './image/index.ts';
import { ensurePackages } from './packages.ts';
import { ensureToolchain } from './toolchain/index.ts';

/**
 * Gets everything that a driver needs on this machine, or that sandboxes need besides for chapter docker; what is there
 * already costs milliseconds. On a VM Docker is in the image.
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
