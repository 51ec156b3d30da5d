import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '@handwired/host';
import type { Work } from '../driver.ts';
import { ensureGenerator, type Toolchain, withHome } from './index.ts';
import { libvirt } from './tools.ts';

/** The folder of the committed SDK, the package @pulumi/libvirt: the engine's generated TypeScript, compiled by tsc. */
export const sdkFolder = join(import.meta.dirname, '../sdks/libvirt');

/** The provider's resources that infra/drivers/vm/program.ts uses; the SDK has no others. */
const resources = ['Domain', 'Network', 'Pool', 'Volume'];

/** Our own TypeScript compiler. The package.json of the generated code names an old one. */
const tsc = join(import.meta.dirname, '../../node_modules/.bin/tsc');

/**
 * Generates @pulumi/libvirt as a new folder under infra/sdks: the schema comes from the provider itself through the
 * bridge, the code from the engine's generator.
 */
export async function generateSdk(folder: string, work: Work): Promise<void> {
  const { signal } = work;
  const { toolchain, generator } = await ensureGenerator(work);
  const schema = await work.progress.stage('Ask the provider for its schema', () => readSchema(toolchain, signal));
  // Beside the result, so that tsc finds the packages of the workspace.
  const source = await mkdtemp(`${folder}.source-`);
  try {
    await work.progress.stage('Generate the SDK', () =>
      run([generator, source, ...resources], { input: schema, signal, next: 'make setup' }),
    );
    await work.progress.stage('Compile the SDK', async () => {
      await run([tsc, '-p', source, '--sourceMap', 'false', '--declarationMap', 'false'], { signal });
      await rm(folder, { recursive: true, force: true });
      await rename(join(source, 'bin'), folder);
      await writeFile(join(folder, 'package.json'), makeManifest(await readFile(join(source, 'package.json'), 'utf8')));
    });
  } finally {
    await rm(source, { recursive: true, force: true });
  }
}

/** The generated package.json without the parts for compiling. The SDK's code reads its own version there. */
function makeManifest(generated: string): string {
  const { name, version, description, repository, pulumi } = JSON.parse(generated) as Record<string, unknown>;
  const manifest = { name, version, description, repository, main: 'index.js', pulumi };
  return `${JSON.stringify(manifest, null, 2)}\n`;
}

async function readSchema(toolchain: Toolchain, signal: AbortSignal): Promise<string> {
  const argv = ['package', 'get-schema', 'terraform-provider', 'dmacvicar/libvirt', libvirt.version];
  const pulumi = join(toolchain.pulumiRoot, 'bin/pulumi');
  const ask = (env: Record<string, string>) =>
    run([pulumi, ...argv], { cwd: '/', signal, next: 'make setup', env: { ...toolchain.env, ...env } });
  return (await withHome(toolchain.pulumiHome, ask)).stdout;
}
