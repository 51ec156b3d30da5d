import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { LabError } from '@handwired/host';
import { writeSite } from './site.ts';

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'handwired-test-'));
});
after(() => rm(folder, { recursive: true, force: true }));

const refused = async (into: string): Promise<LabError> => {
  const error = await writeSite(into, new Map([['index.html', 'ours']])).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof LabError, String(error));
  assert.equal(error.exit, 78);
  return error;
};

test('A site is written into a new folder, and anew over itself; what it has no more goes', async () => {
  const into = join(folder, 'new/site');
  await writeSite(
    into,
    new Map([
      ['index.html', 'one'],
      ['old.html', 'x'],
    ]),
  );
  await writeSite(into, new Map([['index.html', 'two']]));
  assert.deepEqual((await readdir(into)).toSorted(), ['.handwired-site.json', 'index.html']);
  assert.equal(await readFile(join(into, 'index.html'), 'utf8'), 'two');
});

test('A folder that holds others is left as it is', async () => {
  const into = join(folder, 'home');
  await mkdir(into);
  await writeFile(join(into, 'index.html'), 'mine');
  assert.match((await refused(into)).message, /no site of ours/);
  assert.equal(await readFile(join(into, 'index.html'), 'utf8'), 'mine');
  assert.deepEqual(await readdir(into), ['index.html']);
});

test("In a site's folder a file that is not ours stays, and one in our place is an error, a link too", async () => {
  const into = join(folder, 'mixed');
  await writeSite(into, new Map([['style.css', 'x']]));
  await writeFile(join(into, 'notes.txt'), 'mine');
  await writeSite(into, new Map([['style.css', 'y']]));
  assert.equal(await readFile(join(into, 'notes.txt'), 'utf8'), 'mine');
  await symlink(join(into, 'notes.txt'), join(into, 'index.html'));
  assert.match((await refused(into)).message, /not ours/);
  assert.equal(await readFile(join(into, 'notes.txt'), 'utf8'), 'mine');
});

test('A file in the place of the folder, and a damaged list of what is ours, are errors', async () => {
  const file = join(folder, 'file');
  await writeFile(file, '');
  assert.match((await refused(file)).message, /no site can be written there/);
  assert.match((await refused(join(file, 'deeper'))).message, /no site can be written there/);
  const into = join(folder, 'damaged');
  await writeSite(into, new Map([['index.html', 'x']]));
  await writeFile(join(into, '.handwired-site.json'), '{"schemaVersion":1,"files":["../../etc/passwd"]}');
  assert.match((await refused(into)).message, /damaged/);
});
