import assert from 'node:assert/strict';
import { appendFile, mkdir, mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { historyFile, labDir, writeAtomic } from './files.ts';
import { forgetHistory, listHistories, type NewEvent, noteHistory, readHistory } from './history.ts';
import { forgetLab } from './lab.ts';
import { run } from './process.ts';

const check = (more: Partial<Extract<NewEvent, { kind: 'check' }>> = {}): NewEvent => ({
  ...{ kind: 'check', chapter: 'veth', verdict: 'pass', points: 10, of: 10, hints: 1, first: null },
  ...more,
});

describe('what was done with each lab', () => {
  let home = '';
  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), 'handwired-history-'));
    process.env.XDG_STATE_HOME = home;
  });
  afterEach(() => rm(home, { recursive: true, force: true }));

  const kinds = async (name = 'demo'): Promise<string[]> => (await readHistory(name)).map(({ kind }) => kind);

  test('What is noted comes back in its order, with its time, and only its owner can read it', async () => {
    assert.deepEqual(await readHistory('demo'), []);
    const before = new Date().toISOString();
    await noteHistory('demo', { kind: 'guide', chapter: 'bridge' });
    await noteHistory('demo', check(), { kind: 'reset', to: null });
    const events = await readHistory('demo');
    assert.deepEqual(
      events.map(({ kind }) => kind),
      ['guide', 'check', 'reset'],
    );
    for (const { at } of events) assert.ok(at >= before && at <= new Date().toISOString(), at);
    assert.equal((await stat(historyFile('demo'))).mode & 0o777, 0o600);
    assert.equal((await stat(dirname(historyFile('demo')))).mode & 0o777, 0o700);
  });

  test('It is no part of the lab: the lab goes, it stays, and one lab has nothing of another', async () => {
    await writeAtomic(join(labDir('demo'), 'lab.json'), '{}');
    await noteHistory('demo', check());
    await forgetLab('demo');
    await assert.rejects(stat(labDir('demo')));
    assert.deepEqual(await kinds(), ['check']);
    assert.deepEqual(await kinds('other'), []);
  });

  test('Forgotten, nothing of it is left, nor of our folders; another lab keeps its own', async () => {
    await noteHistory('demo', check());
    await noteHistory('other', check());
    assert.deepEqual(await listHistories(), ['demo', 'other']);
    assert.equal(await forgetHistory('demo'), true);
    assert.deepEqual([await kinds(), await kinds('other')], [[], ['check']]);
    assert.equal(await forgetHistory('other'), true);
    assert.equal(await forgetHistory('other'), false);
    assert.deepEqual([await readdir(home), await listHistories()], [[], []]);
  });

  test('A damaged line, a line cut off, one of a kind not known here: each is passed over, the others stay', async () => {
    await noteHistory('demo', check());
    await appendFile(historyFile('demo'), '{"kind":"check"}\n\0\0\n{"kind":"later","at":"x"}\n[]\nnull\n');
    await noteHistory('demo', { kind: 'guide', chapter: 'dns' });
    await truncate(historyFile('demo'), (await stat(historyFile('demo'))).size - 5);
    await noteHistory('demo', { kind: 'build', chapters: ['dns'] });
    assert.deepEqual(await kinds(), ['check', 'build']);
  });

  test('Many writers at once, in this process and in another, lose nothing of each other', async () => {
    const other = `import { noteHistory } from '${join(import.meta.dirname, 'history.ts')}';
    for (let i = 0; i < 20; i += 1) await noteHistory('demo', { kind: 'guide', chapter: 'dns' });`;
    await Promise.all([
      run([process.execPath, '--input-type=module', '-e', other], { env: { XDG_STATE_HOME: home } }),
      ...Array.from({ length: 20 }, () => noteHistory('demo', check(), check())),
    ]);
    assert.equal((await kinds()).filter((kind) => kind === 'check').length, 40);
    assert.equal((await kinds()).filter((kind) => kind === 'guide').length, 20);
  });

  test('It does not grow without end: the newer half stays, and what the older was worth', async () => {
    const fault = { kind: 'fault', id: 'mtu', injectedAt: 'a', submittedAt: 'b', repaired: true, hints: 0, seconds: 9 };
    await noteHistory('demo', check({ chapter: 'dns', points: 7 }), { ...fault, right: true } as NewEvent);
    const line = await readFile(historyFile('demo'), 'utf8');
    const much = `${JSON.stringify({ ...check({ points: 0 }), at: '2026-01-01T00:00:00Z' })}\n`;
    await writeFile(historyFile('demo'), line + much.repeat(9000));
    await noteHistory('demo', { kind: 'guide', chapter: 'tour' });
    const events = await readHistory('demo');
    assert.ok((await stat(historyFile('demo'))).size < 1024 * 1024);
    assert.ok(events.length > 4400 && events.length < 4600, `${events.length}`);
    assert.deepEqual([events.at(0)?.kind, events.at(1)?.kind, events.at(-1)?.kind], ['check', 'fault', 'guide']);
  });

  test('Where nothing can be written or read, that is told with the next command', async () => {
    await mkdir(historyFile('demo'), { recursive: true });
    const trouble = { name: 'LabError', message: /cannot (write|read): / };
    await assert.rejects(noteHistory('demo', check()), trouble);
    await assert.rejects(readHistory('demo'), trouble);
  });
});
