// Generates infra/sdks/libvirt again: node --import ./cli/loader.mjs scripts/sdk.ts. For a new version of the provider or engine.
// With `prepare` it only makes sure that the generator is there, which costs least while the toolchain is built.
import { rename, rm } from 'node:fs/promises';
import { createProgress } from '../cli/stages.ts';
import { ensureGenerator } from '../infra/toolchain/index.ts';
import { generateSdk, sdkFolder } from '../infra/toolchain/sdk.ts';

const work = { progress: createProgress(process.stderr), signal: new AbortController().signal };
if (process.argv[2] === 'prepare') await ensureGenerator(work);
else {
  const fresh = `${sdkFolder}.new`;
  await rm(fresh, { recursive: true, force: true });
  await generateSdk(fresh, work);
  await rm(sdkFolder, { recursive: true, force: true });
  await rename(fresh, sdkFolder);
}
