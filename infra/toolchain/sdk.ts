import { copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '@handwired/host';
import type { Work } from '../driver.ts';
import { buildFlags, ensureGo, moduleFolder } from './go.ts';
import { withHome } from './home.ts';
import type { Toolchain } from './index.ts';
import { libvirt } from './tools.ts';

/** The SDK as committed: TypeScript as the engine's generator writes it, and what tsc makes of that under bin/. */
export const sdkFolder = join(import.meta.dirname, '../sdks/libvirt');

/** Our own TypeScript compiles the generated code, not the old one that its package.json names. */
const tsc = join(import.meta.dirname, '../../node_modules/.bin/tsc');

/**
 * Generates @pulumi/libvirt into an empty folder under infra/sdks: the schema comes from the provider itself through
 * the bridge, the code from the engine's generator.
 */
export async function generateSdk(toolchain: Toolchain, folder: string, work: Work): Promise<void> {
  await mkdir(folder, { recursive: true });
  const schema = await work.progress.stage('Ask the provider for its schema', () => schemaOf(toolchain, work.signal));
  const go = await ensureGo('sdkgen', work);
  await work.progress.stage('Generate the SDK', async () => {
    const argv = [go.command, 'run', ...buildFlags, '.', folder];
    await run(argv, {
      cwd: moduleFolder('sdkgen'),
      env: go.env,
      input: schema,
      signal: work.signal,
      next: 'make setup',
    });
  });
  await work.progress.stage('Compile the SDK', async () => {
    await run([tsc, '-p', folder, '--sourceMap', 'false', '--declarationMap', 'false'], { signal: work.signal });
    // The code reads its version from a package.json beside it.
    await copyFile(join(folder, 'package.json'), join(folder, 'bin/package.json'));
  });
}

async function schemaOf(toolchain: Toolchain, signal: AbortSignal): Promise<string> {
  const argv = ['package', 'get-schema', 'terraform-provider', 'dmacvicar/libvirt', libvirt.version];
  const pulumi = join(toolchain.pulumiRoot, 'bin/pulumi');
  const options = { cwd: '/', signal, next: 'make setup' };
  const ask = (env: Record<string, string>) =>
    run([pulumi, ...argv], { ...options, env: { ...toolchain.env, ...env } });
  return (await withHome(toolchain.pulumiHome, ask)).stdout;
}
