import assert from 'node:assert/strict';
import { access, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { isAtLeast, makeHome, withHome } from './index.ts';

describe("the toolchain's home", () => {
  let top: string;
  const cache = process.env.XDG_CACHE_HOME;
  before(async () => {
    top = await mkdtemp(join(tmpdir(), 'handwired-test-'));
    process.env.XDG_CACHE_HOME = join(top, 'cache');
    for (const name of ['old', 'new']) {
      await mkdir(join(top, name, 'plugins'), { recursive: true });
      await writeFile(join(top, name, 'plugins/bridge'), name);
    }
  });
  after(async () => {
    // Other tests run in this process.
    if (cache === undefined) Reflect.deleteProperty(process.env, 'XDG_CACHE_HOME');
    else process.env.XDG_CACHE_HOME = cache;
    await rm(top, { recursive: true, force: true });
  });

  test('a home has the plugins of the toolchain that it was made with last', async () => {
    const home = join(top, 'home');
    for (const name of ['old', 'new', 'new']) {
      await makeHome(home, join(top, name));
      assert.equal(await readFile(join(home, 'plugins/bridge'), 'utf8'), name);
    }
    assert.equal(await readFile(join(top, 'old/plugins/bridge'), 'utf8'), 'old');
  });

  test('a home for one question is gone afterwards, with what the CLI wrote, and leaves the plugins where they are', async () => {
    let seen = '';
    const ask = async (env: Record<string, string>): Promise<string> => {
      seen = env.PULUMI_HOME ?? '';
      await writeFile(join(seen, 'a log'), '');
      return readFile(join(seen, 'plugins/bridge'), 'utf8');
    };
    assert.equal(await withHome(join(top, 'new'), ask), 'new');
    assert.match(seen, /^\S+\/cache\/handwired\/toolchain\/home-/);
    await assert.rejects(access(seen));
    await assert.rejects(
      withHome(undefined, (env) => {
        seen = env.PULUMI_HOME ?? '';
        return Promise.reject(new Error('the CLI failed'));
      }),
      /the CLI failed/,
    );
    await assert.rejects(access(seen));
    assert.equal(await readFile(join(top, 'new/plugins/bridge'), 'utf8'), 'new');
  });

  test('versions are compared by number, within one major', () => {
    assert.equal(isAtLeast('3.259.0', '3.259.0'), true);
    assert.equal(isAtLeast('3.1000.0', '3.259.0'), true);
    assert.equal(isAtLeast('3.259.1-alpha.1', '3.259.0'), true);
    assert.equal(isAtLeast('3.99.9', '3.259.0'), false);
    assert.equal(isAtLeast('4.0.0', '3.259.0'), false);
    assert.equal(isAtLeast('', '3.259.0'), false);
    assert.equal(isAtLeast('not a version', '3.259.0'), false);
  });
});
