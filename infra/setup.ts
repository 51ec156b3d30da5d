import type { DriverName } from '@handwired/host';
import type { Work } from './driver.ts';
import { ensureImage } from './image/index.ts';
import { ensurePackages } from './packages.ts';
import { ensureToolchain } from './toolchain/index.ts';

/** Gets everything that a driver needs on this machine; what is there already costs milliseconds. */
export async function ensureSetup(target: DriverName | 'all', work: Work): Promise<void> {
  if (target !== 'vm') await ensurePackages('sandbox', work);
  if (target === 'sandbox') return;
  await ensurePackages('vm', work);
  await ensureToolchain(work);
  await ensureImage(work);
}
