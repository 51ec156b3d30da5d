import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { derivePlan, run, saveSpec } from '@handwired/host';
import { testSpec } from './driver-labs.ts';
import { labCommand, runInProcess } from './lab.ts';

const state = await mkdtemp(join(tmpdir(), 'handwired-test-'));
after(() => rm(state, { recursive: true, force: true }));
const env = { XDG_STATE_HOME: state, LAB_NAME: '', NO_COLOR: '', FORCE_COLOR: '' };
const lab = (...words: string[]) => runInProcess(words, env);

test("lab guide --html writes a site with a lab's values, and says what to open", async () => {
  process.env['XDG_STATE_HOME'] = state;
  const plan = derivePlan('ada');
  await saveSpec(testSpec('sandbox', 'mine', { plan, phase: 'ready' }));
  const argv = [labCommand, 'guide', '--html', 'course', '--lab', 'mine'];
  const { code, stdout, stderr } = await run(argv, { env, allowFailure: true, cwd: state });
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^\d+ files written; open .*\/course\/index\.html$/m);
  const page = await readFile(join(state, 'course/04-addressing.html'), 'utf8');
  assert.ok(page.includes(`ip -n ct1 addr add ${plan.ct1.address}/16 dev eth0`));
  assert.match(page, /With the values of lab mine/);
});

test('A folder with other things, a chapter beside --html, and a lab that is not there are errors; nothing is written', async () => {
  const other = join(state, 'other');
  const foreign = await lab('guide', '--html', state);
  assert.equal(foreign.code, 78);
  assert.match(foreign.stderr, /no site of ours: nothing was written/);
  assert.match(foreign.stderr, /next: +lab guide --html .*\/guide$/m);
  const one = await lab('guide', 'bridge', '--html', other);
  assert.equal(one.code, 64);
  assert.match(one.stderr, /--html writes all chapters, not bridge alone/);
  assert.equal((await lab('guide', '--html', other, '--lab', 'none')).code, 78);
  assert.equal((await lab('guide', '--html', other, '--plain')).code, 64);
  assert.ok(!(await readdir(state)).includes('other'));
});
