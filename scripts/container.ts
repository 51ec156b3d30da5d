// The image of our container where no registry can be reached: `node scripts/container.ts FILE` writes it for `docker load`.
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { createProgress } from '../cli/stages.ts';
import { LabError, quote, run } from '../host/index.ts';
import { findInputs } from '../infra/image/inputs.ts';
import { makeRoot } from '../infra/image/mmdebstrap.ts';
import { ensurePackages } from '../infra/packages.ts';

/** The name that the image has once it is loaded. */
const tag = 'handwired:latest';
const root = resolve(import.meta.dirname, '..');
const stop = new AbortController();
const work = { progress: createProgress(process.stderr), signal: stop.signal };

/** Writes the image beside `file` and then renames it, so that a file of that name is a whole image. */
async function writeImage(file: string): Promise<void> {
  if (process.getuid?.() !== 0)
    throw new LabError({ what: 'making the root of a container needs root', next: 'sudo -E make container' });
  await ensurePackages('build', work);
  const inputs = await findInputs(work.signal);
  const folder = await mkdtemp(join(dirname(file), '.container-'));
  try {
    const layer = join(folder, 'layer.tar');
    const hook = `sh ${quote(join(import.meta.dirname, 'container-hook.sh'))} "$1" ${quote(root)}`;
    const options = ['--variant=minbase', '--format=tar', `--customize-hook=${hook}`];
    await work.progress.stage('Install the course and what it needs', (note) =>
      makeRoot(layer, inputs, options, {
        signal: work.signal,
        onLine: (line) => note(line.slice(0, 100)),
        next: 'apt-get update && make container',
      }),
    );
    const config = JSON.stringify({
      ...{ architecture: inputs.architecture, os: 'linux', created: new Date().toISOString() },
      config: readSettings(await readFile(join(root, 'Containerfile'), 'utf8')),
      rootfs: { type: 'layers', diff_ids: [`sha256:${await digest(layer)}`] },
    });
    await writeFile(join(folder, 'config.json'), config);
    const manifest = [{ Config: 'config.json', RepoTags: [tag], Layers: ['layer.tar'] }];
    await writeFile(join(folder, 'manifest.json'), JSON.stringify(manifest));
    const parts = ['manifest.json', 'config.json', 'layer.tar'];
    await run(['tar', '-C', folder, '-cf', join(folder, 'image.tar'), ...parts], { next: 'df -h .' });
    await rename(join(folder, 'image.tar'), file);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** What a Containerfile says of how the image is run, in the words of an image's configuration (OCI image-spec). */
function readSettings(text: string): { Env: string[]; WorkingDir: string; Cmd: string[] } {
  const values = (word: string): string[] =>
    Array.from(text.matchAll(new RegExp(`^${word} (.+)$`, 'gm')), ([, value]) => value ?? '');
  const path = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
  const Cmd = JSON.parse(values('CMD').at(-1) ?? '') as string[];
  return { Env: [path, ...values('ENV')], WorkingDir: values('WORKDIR').at(-1) ?? '/', Cmd };
}

async function digest(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

for (const name of ['SIGINT', 'SIGTERM'] as const)
  process.once(name, () => stop.abort(new LabError({ what: `interrupted (${name})`, next: 'make container' })));
try {
  const file = resolve(process.argv[2] ?? 'handwired-container.tar');
  await writeImage(file);
  console.log(`${file}\nnext: docker load -i ${quote(file)} && docker run --privileged -it handwired`);
} catch (error) {
  if (!(error instanceof LabError)) throw error;
  process.stderr.write(`${error.message}\n  at: ${error.where ?? root}\n  next: ${error.next}\n`);
  process.exitCode = error.exit;
}
