// Generates infra/sdks/libvirt again: node --import ./cli/loader.mjs scripts/sdk.ts. For a new version of the provider or engine.
import { rename, rm } from 'node:fs/promises';
import { createProgress } from '../cli/stages.ts';
import { ensureToolchain } from '../infra/toolchain/index.ts';
import { generateSdk, sdkFolder } from '../infra/toolchain/sdk.ts';

const work = { progress: createProgress(process.stderr), signal: new AbortController().signal };
const fresh = `${sdkFolder}.new`;
await rm(fresh, { recursive: true, force: true });
await generateSdk(await ensureToolchain(work), fresh, work);
await rm(sdkFolder, { recursive: true, force: true });
await rename(fresh, sdkFolder);
