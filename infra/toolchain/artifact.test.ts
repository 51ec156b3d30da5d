import assert from 'node:assert/strict';
import { appendFile, mkdtemp, readdir, readFile, rm, truncate, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, beforeEach, describe, test } from 'node:test';
import { silent } from '@handwired/host';
import { type Artifact, ensureArtifact, findFolder, isIntact } from './artifact.ts';

const home = await mkdtemp(join(tmpdir(), 'artifact-'));
const cache = process.env.XDG_CACHE_HOME;
after(async () => {
  // Other tests run in this process.
  if (cache === undefined) Reflect.deleteProperty(process.env, 'XDG_CACHE_HOME');
  else process.env.XDG_CACHE_HOME = cache;
  await rm(home, { recursive: true, force: true });
});

const work = { progress: silent, signal: new AbortController().signal };
let made = 0;
describe('an artifact', () => {
  beforeEach(async () => {
    made = 0;
    process.env.XDG_CACHE_HOME = home;
    await rm(join(home, 'handwired'), { recursive: true, force: true });
  });

  const artifact: Artifact = {
    name: 'tool-1',
    inputs: ['a'],
    files: ['tool'],
    async make(folder) {
      made += 1;
      await writeFile(join(folder, 'tool'), 'a program');
      return 'a test';
    },
  };

  test('what is intact is not made again', async () => {
    const folder = await ensureArtifact(artifact, work);
    assert.equal(await ensureArtifact(artifact, work), folder);
    assert.equal(made, 1);
  });

  test('other inputs are another artifact', async () => {
    const folder = await ensureArtifact(artifact, work);
    assert.notEqual(await ensureArtifact({ ...artifact, inputs: ['b'] }, work), folder);
    assert.equal(made, 2);
  });

  test('a file that was cut short or written over is made again', async () => {
    const file = join(await ensureArtifact(artifact, work), 'tool');
    await truncate(file, 3);
    await ensureArtifact(artifact, work);
    assert.equal(await readFile(file, 'utf8'), 'a program');
    await writeFile(file, 'A PROGRAM');
    await ensureArtifact(artifact, work);
    assert.equal(await readFile(file, 'utf8'), 'a program');
    assert.equal(made, 3);
  });

  test('a file that was only touched is hashed, found good, and remembered as it is now', async () => {
    const file = join(await ensureArtifact(artifact, work), 'tool');
    await utimes(file, 1, 1);
    await ensureArtifact(artifact, work);
    const { files } = JSON.parse(await readFile(join(dirname(file), 'stamp.json'), 'utf8')) as {
      files: { mtimeMs: number }[];
    };
    assert.equal(files[0]?.mtimeMs, 1000);
    assert.equal(made, 1);
  });

  test('a stamp that is half written proves nothing', async () => {
    const folder = await ensureArtifact(artifact, work);
    await truncate(join(folder, 'stamp.json'), 20);
    assert.equal(await isIntact(folder, artifact.files), false);
    await ensureArtifact(artifact, work);
    assert.equal(made, 2);
  });

  test('what a killed process left beside its place is removed', async () => {
    const folder = findFolder(artifact);
    await ensureArtifact(artifact, work);
    await writeFile(join(folder, 'tool'), 'broken');
    const left = await mkdtemp(`${folder}.making-`);
    await appendFile(join(left, 'tool'), 'half');
    await ensureArtifact(artifact, work);
    assert.deepEqual(
      (await readdir(dirname(folder))).filter((name) => name.includes('.making-')),
      [],
    );
  });

  test('two at once make it once', async () => {
    const folders = await Promise.all([ensureArtifact(artifact, work), ensureArtifact(artifact, work)]);
    assert.equal(folders[0], folders[1]);
    assert.equal(made, 1);
  });

  test('a make that fails leaves nothing, and the next one works', async () => {
    const failing = { ...artifact, make: () => Promise.reject(new Error('no compiler')) };
    await assert.rejects(ensureArtifact(failing, work), /no compiler/);
    assert.deepEqual(await readdir(dirname(findFolder(artifact))), []);
    await ensureArtifact(artifact, work);
    assert.equal(made, 1);
  });
});
