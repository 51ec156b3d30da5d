import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { silent } from '@handwired/host';
import { generateSdk, sdkFolder } from '../../infra/toolchain/sdk.ts';

const work = { progress: silent, signal: new AbortController().signal };
// Beside the committed one, so that tsc finds the same packages.
const fresh = await mkdtemp(`${sdkFolder}.test-`);
after(() => rm(fresh, { recursive: true, force: true }));

/** Every file under a folder with its content, by relative path. */
async function contentOf(folder: string): Promise<Map<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const read = async (file: string): Promise<[string, string]> => [
    file.slice(folder.length + 1),
    await readFile(file, 'utf8'),
  ];
  return new Map(await Promise.all(files.sort().map(read)));
}

test('the committed @pulumi/libvirt is what the engine generates from the provider that we run', async () => {
  await generateSdk(fresh, work);
  const [generated, committed] = [await contentOf(fresh), await contentOf(sdkFolder)];
  assert.ok(generated.size > 20, `only ${generated.size} files were generated`);
  assert.deepEqual([...committed.keys()], [...generated.keys()]);
  for (const [file, text] of generated) assert.equal(committed.get(file), text, file);
});
