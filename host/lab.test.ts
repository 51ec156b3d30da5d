import assert from 'node:assert/strict';
import { chmod, cp, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { z } from 'zod';
import { LabError } from './errors.ts';
import { cacheDir, findWayToWrite, labDir, labsDir, readJson, stateDir, writeAtomic } from './files.ts';
import {
  Conditions,
  conditionValues,
  findDamage,
  findSpec,
  forgetLab,
  hasFolder,
  type LabSpec,
  listLabs,
  loadEndpoint,
  loadSpec,
  saveEndpoint,
  saveSpec,
} from './lab.ts';
import { defaultPlan } from './plan.ts';
import { run } from './process.ts';

const spec = (name: string, phase: LabSpec['phase'] = 'ready'): LabSpec => ({
  schemaVersion: 1,
  name,
  driver: 'sandbox',
  conditions: Conditions.parse({}),
  plan: defaultPlan,
  cpus: 1,
  memoryMiB: 256,
  instance: 'abc123',
  owner: 'me@here',
  createdAt: '2026-01-01T00:00:00.000Z',
  phase,
});
const endpoint = (lab: string) => ({
  lab,
  driver: 'sandbox' as const,
  dial: { command: ['sshd', '-i'] },
  user: 'root',
  privateKeyFile: join(labDir(lab), 'sandbox/id_ed25519'),
  hostKey: 'ssh-ed25519 AAAA',
  seat: { argv: ['sh'], viewPid: 7 },
});

const asRoot = process.getuid?.() === 0 ? false : 'needs root';
describe('what is kept of a lab', () => {
  let home = '';
  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), 'handwired-store-'));
    process.env.XDG_STATE_HOME = home;
  });
  afterEach(() => rm(home, { recursive: true, force: true }));

  const troubleOf = async (work: Promise<unknown>): Promise<LabError> => {
    const error: unknown = await work.then(
      () => assert.fail('it worked'),
      (thrown: unknown) => thrown,
    );
    assert.ok(error instanceof LabError, String(error));
    return error;
  };

  test('what is saved comes back, and only its owner can read it', async () => {
    await saveSpec(spec('demo'));
    await saveEndpoint(endpoint('demo'));
    assert.deepEqual(await loadSpec('demo'), spec('demo'));
    assert.deepEqual(await loadEndpoint('demo'), endpoint('demo'));
    for (const file of ['lab.json', 'endpoint.json']) {
      assert.equal((await stat(join(labDir('demo'), file))).mode & 0o777, 0o600);
    }
    assert.equal((await stat(labDir('demo'))).mode & 0o777, 0o700);
  });

  test('many writers of one file leave one whole content and no temporary files', async () => {
    const path = join(home, 'folder', 'file');
    const contents = Array.from({ length: 20 }, (_, i) => String(i).repeat(50_000));
    await Promise.all(contents.map((content) => writeAtomic(path, content)));
    assert.ok(contents.includes(await readFile(path, 'utf8')));
    assert.deepEqual(await readdir(join(home, 'folder')), ['file']);
  });

  test('a lab that does not exist is a mistake of the user, with the command that makes it', async () => {
    const error = await troubleOf(loadSpec('demo'));
    assert.deepEqual([error.exit, error.next], [78, 'lab up demo']);
    assert.equal(await findSpec('demo'), undefined);
  });

  test('the endpoint of a lab that was moved to another state folder is made anew by up', async () => {
    await saveSpec(spec('demo'));
    await saveEndpoint({ ...endpoint('demo'), privateKeyFile: '/before/handwired/labs/demo/sandbox/id_ed25519' });
    const error = await troubleOf(loadEndpoint('demo'));
    assert.match(error.message, /moved here/);
    assert.equal(error.next, 'lab up demo');
  });

  test('a lab that is not ready has no endpoint yet', async () => {
    await saveSpec(spec('demo', 'creating'));
    await saveEndpoint(endpoint('demo'));
    const error = await troubleOf(loadEndpoint('demo'));
    assert.match(error.message, /not ready.*creating/);
    assert.equal(error.next, 'lab up demo');
  });

  for (const [title, content] of [
    ['cut off', '{"schemaVersion": 1, "na'],
    ['empty', ''],
    ['of another shape', '[]'],
    ['of another version', JSON.stringify({ ...spec('demo'), schemaVersion: 2 })],
  ] as const) {
    test(`a lab's file that is ${title} names itself and what removes it`, async () => {
      await mkdir(labDir('demo'), { recursive: true });
      await writeFile(join(labDir('demo'), 'lab.json'), content);
      const error = await troubleOf(findSpec('demo'));
      assert.match(error.message, /^a damaged file: /);
      assert.deepEqual([error.where, error.next], [join(labDir('demo'), 'lab.json'), 'lab destroy demo']);
      assert.deepEqual(await listLabs(), ['demo']);
      await forgetLab('demo');
      assert.deepEqual(await listLabs(), []);
    });
  }

  test('a spec that is damaged or gone is read from its spare', async () => {
    await saveSpec(spec('demo', 'creating'));
    await saveSpec(spec('demo'));
    const file = join(labDir('demo'), 'lab.json');
    await writeFile(file, '{"schemaVersion": 1, "na');
    assert.deepEqual(await findSpec('demo'), spec('demo'));
    await rm(file);
    assert.deepEqual(await findSpec('demo'), spec('demo'));
  });

  test('a folder that holds what was made but no spec is a damaged lab, not none', async () => {
    await mkdir(join(labDir('demo'), 'sandbox'), { recursive: true });
    const error = await troubleOf(findSpec('demo'));
    assert.deepEqual([error.exit, error.next], [3, 'lab destroy demo']);
    await rm(join(labDir('demo'), 'sandbox'), { recursive: true });
    await writeFile(join(labDir('demo'), 'lab.json.0a1b2c3d.tmp'), '{');
    assert.equal(await findSpec('demo'), undefined);
  });

  test('a spec in the folder of another lab is not taken for that lab', async () => {
    await saveSpec(spec('one'));
    await cp(labDir('one'), labDir('two'), { recursive: true });
    assert.match((await troubleOf(findSpec('two'))).message, /^a damaged file: name/);
  });

  test('of a damaged file the error names what costs the learner least', async () => {
    await saveSpec(spec('demo'));
    for (const [file, next] of [
      ['endpoint.json', /^lab up demo$/],
      ['baseline.json', /^lab reset demo$/],
      ['record.json', /^rm .*record\.json/],
    ] as const) {
      await writeFile(join(labDir('demo'), file), '{');
      assert.match((await troubleOf(readJson(join(labDir('demo'), file), z.object({})))).next, next);
    }
  });

  test('the last lab that is forgotten takes our empty folders along, and an earlier one does not', async () => {
    await saveSpec(spec('one'));
    await saveSpec(spec('two'));
    await forgetLab('one');
    assert.deepEqual(await listLabs(), ['two']);
    await forgetLab('two');
    assert.deepEqual(await readdir(home), []);
    await forgetLab('two');
  });

  test('other files in the state folder are kept', async () => {
    await saveSpec(spec('one'));
    await writeFile(join(stateDir(), 'other'), '');
    await forgetLab('one');
    assert.deepEqual(await readdir(stateDir()), ['other']);
  });

  test('no name leads out of the folder of labs', async () => {
    for (const name of ['..', '.', '', '../x', 'a/b']) await assert.rejects(forgetLab(name), TypeError);
  });

  test('a folder that may not be written says how to choose another', { skip: asRoot }, async () => {
    process.seteuid?.(65_534);
    try {
      const error = await troubleOf(saveSpec(spec('demo')));
      assert.match(error.message, /^cannot write: .*EACCES/);
      assert.match(error.next, /XDG_STATE_HOME/);
    } finally {
      process.seteuid?.(0);
    }
  });

  test('a folder in the place of a file is replaced by what is written there', async () => {
    await mkdir(join(home, 'file/deeper'), { recursive: true });
    await writeAtomic(join(home, 'file'), 'new');
    assert.equal(await readFile(join(home, 'file'), 'utf8'), 'new');
    assert.deepEqual(await readdir(home), ['file']);
  });

  test('of a disk that is read-only or full it is asked what is there, and of the cache what can go', () => {
    const path = join(stateDir(), 'labs/demo/lab.json');
    for (const [code, next] of [
      ['ENOSPC', `df -h ${home}`],
      ['EDQUOT', `df -h ${home}`],
      ['EROFS', `findmnt -T ${home}`],
      ['EACCES', 'export XDG_STATE_HOME=A_FOLDER_YOU_CAN_WRITE'],
    ])
      assert.equal(findWayToWrite(path, { code }), next);
    assert.equal(findWayToWrite(join(cacheDir(), 'images/one'), { code: 'ENOSPC' }), 'lab image prune');
  });

  test('a state folder that is reached through a symbolic link is the same one', async () => {
    const link = `${home}-link`;
    await symlink(home, link);
    try {
      const there = labDir('demo');
      process.env['XDG_STATE_HOME'] = link;
      assert.equal(labDir('demo'), there);
    } finally {
      process.env['XDG_STATE_HOME'] = home;
      await rm(link);
    }
  });

  test('what is damaged or a folder in the place of a file is named with what replaces it', async () => {
    await saveSpec(spec('demo'));
    await saveEndpoint(endpoint('demo'));
    await writeFile(join(labDir('demo'), 'baseline.json'), '{}');
    assert.equal(await findDamage(spec('demo')), undefined);
    for (const [file, next] of [
      ['baseline.json', 'lab reset demo'],
      ['endpoint.json', 'lab up demo'],
    ] as const) {
      await rm(join(labDir('demo'), file), { recursive: true });
      assert.equal((await findDamage(spec('demo')))?.next, next, file);
      await mkdir(join(labDir('demo'), file));
      const found = await findDamage(spec('demo'));
      assert.deepEqual([found?.where, found?.next], [join(labDir('demo'), file), next]);
      await writeAtomic(join(labDir('demo'), file), JSON.stringify(file === 'baseline.json' ? {} : endpoint('demo')));
    }
    assert.equal(await findDamage(spec('demo')), undefined);
  });

  test('labs that another user made are named as such, with the command that removes them', {
    skip: asRoot,
  }, async () => {
    await saveSpec(spec('demo'));
    await chmod(home, 0o755);
    process.seteuid?.(65_534);
    try {
      for (const [work, command] of [
        [listLabs, 'status'],
        [() => findSpec('demo'), 'destroy demo'],
        [() => hasFolder('demo'), 'destroy demo'],
      ] as const) {
        const error = await troubleOf(work());
        assert.match(error.message, /^this was made by root/);
        assert.equal(error.next, `sudo env XDG_STATE_HOME=${home} "$(command -v lab)" ${command}`);
      }
    } finally {
      process.seteuid?.(0);
    }
  });

  test('a file in the place of our folder says so', async () => {
    await writeFile(join(home, 'handwired'), '');
    const error = await troubleOf(saveSpec(spec('demo')));
    assert.match(error.message, /^cannot write: /);
    assert.match(error.where ?? '', new RegExp(`^${labsDir()}`));
  });

  test('a full disk keeps the old content, leaves nothing behind and says what frees space', {
    skip: asRoot,
  }, async () => {
    const script = `
    import { writeAtomic } from ${JSON.stringify(new URL('./files.ts', import.meta.url).href)};
    await writeAtomic('${home}/file', 'old');
    const error = await writeAtomic('${home}/file', Buffer.alloc(1 << 20)).catch((thrown) => thrown);
    console.log(JSON.stringify([error.name, error.message, error.next]));`;
    const node = [process.execPath, '--input-type=module', '-e', script];
    // The small file system exists only in a mount namespace of its own, and ends with it.
    const inside = `mount -t tmpfs -o size=64k none ${home} && "$@" && cat ${home}/file && ls -A ${home}`;
    const { stdout } = await run(['unshare', '--mount', 'sh', '-c', inside, 'sh', ...node]);
    const [trouble = '', rest] = stdout.split('\n');
    const [name, message, next] = JSON.parse(trouble) as string[];
    assert.deepEqual([name, next], ['LabError', `df -h ${home}/file`]);
    assert.match(message ?? '', /ENOSPC/);
    assert.equal(rest, 'oldfile');
  });

  test('without any condition given a lab host has the defaults', () => {
    assert.deepEqual(Conditions.parse({}), {
      'forward-policy': 'accept',
      'bridge-nf': '0',
      resolver: 'stub',
      'ip-forward': '0',
    });
  });

  test('the table of values has every condition, its default first, and no value that is refused', () => {
    const defaults = Conditions.parse({});
    assert.deepEqual(Object.keys(conditionValues), Object.keys(defaults));
    for (const [key, values] of Object.entries(conditionValues)) {
      assert.equal(values[0], defaults[key as keyof Conditions]);
      for (const value of values) assert.equal(Conditions.parse({ [key]: value })[key as keyof Conditions], value);
    }
  });

  test('any other value is refused', () => {
    for (const wrong of [{ 'bridge-nf': '2' }, { resolver: '' }, { 'forward-policy': 'DROP' }, { 'ip-forward': 1 }]) {
      assert.equal(Conditions.safeParse(wrong).success, false, JSON.stringify(wrong));
    }
  });
});
