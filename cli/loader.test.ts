import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { run, type RunResult } from '@handwired/host';

const asRoot = process.getuid?.() === 0 ? false : 'mounting is for root';

describe('the loader', () => {
  let top: string;
  beforeEach(async () => {
    top = await mkdtemp(join(tmpdir(), 'handwired-test-'));
    for (const name of ['tmp', 'cache/handwired/node']) await mkdir(join(top, name), { recursive: true });
    // No type that Node could strip by itself: tsx is at work.
    await writeFile(join(top, 'program.ts'), 'enum Word { hello = 1 }\nconsole.log(Word[1], process.env.TMPDIR);\n');
  });
  afterEach(() => rm(top, { recursive: true, force: true }));

  const start = (...prefix: string[]): Promise<RunResult> =>
    run([...prefix, process.execPath, '--import', join(import.meta.dirname, 'loader.mjs'), join(top, 'program.ts')], {
      env: { TMPDIR: join(top, 'tmp'), XDG_CACHE_HOME: join(top, 'cache') },
    });
  const said = (): string => `hello ${join(top, 'tmp')}\n`;

  it('runs TypeScript, keeps its caches in our cache folder, and leaves TMPDIR as it is, and empty', async () => {
    assert.equal((await start()).stdout, said());
    assert.deepEqual(await readdir(join(top, 'tmp')), []);
    assert.ok((await readdir(join(top, 'cache/handwired/node'))).length > 0);
  });

  it('runs without a cache', async () => {
    await rm(join(top, 'cache'), { recursive: true });
    await writeFile(join(top, 'cache'), '');
    assert.equal((await start()).stdout, said());
    assert.deepEqual(await readdir(join(top, 'tmp')), []);
  });

  it('runs with a cache that can only be read', { skip: asRoot }, async () => {
    const inside = `mount --bind ${top}/cache ${top}/cache && mount -o remount,bind,ro ${top}/cache && exec "$@"`;
    assert.equal((await start('unshare', '--mount', 'sh', '-c', inside, 'sh')).stdout, said());
    assert.deepEqual(await readdir(join(top, 'tmp')), []);
  });
});
