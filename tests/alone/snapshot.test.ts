import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { run } from '@handwired/host';
import { labCommand } from '../lab.ts';
import { makeMarks } from '../marks.ts';
import { noSandbox } from '../sandbox/sandbox.ts';
import { differenceAtRest, takeSnapshot } from '../snapshot.ts';

/** Runs `lab` as somebody else on this machine would: nothing of this run is in its environment. */
async function theirLab(state: string, ...words: string[]): Promise<void> {
  const env = { XDG_STATE_HOME: state, HANDWIRED_RUN: undefined, HANDWIRED_ALONE: undefined, TMPDIR: undefined };
  const { code, stderr } = await run([labCommand, ...words], { env, allowFailure: true });
  assert.equal(code, 0, stderr);
}

const root = resolve(import.meta.dirname, '../..');
const sandbox = ['--driver', 'sandbox'];

describe('the comparison of the machine before and after', { skip: noSandbox, timeout: 300_000 }, () => {
  const kept = { state: process.env.XDG_STATE_HOME, alone: process.env.HANDWIRED_ALONE };
  /** A state folder that this run shares with somebody else, and one that is only theirs. */
  let shared: string;
  let theirs: string;
  before(async () => {
    Reflect.deleteProperty(process.env, 'HANDWIRED_ALONE');
    shared = process.env.XDG_STATE_HOME = await mkdtemp(join(tmpdir(), 'handwired-test-'));
    theirs = await mkdtemp(join(tmpdir(), 'handwired-test-'));
    for (const name of ['one', 'two', 'three']) await theirLab(theirs, 'up', name, ...sandbox);
  });
  after(async () => {
    for (const state of [shared, theirs]) {
      const names = await readdir(join(state, 'handwired/labs')).catch(() => []);
      for (const name of names) await theirLab(state, 'destroy', name);
      await rm(state, { recursive: true, force: true });
    }
    if (kept.state === undefined) Reflect.deleteProperty(process.env, 'XDG_STATE_HOME');
    else process.env.XDG_STATE_HOME = kept.state;
    if (kept.alone !== undefined) process.env.HANDWIRED_ALONE = kept.alone;
  });

  it('takes labs that somebody else brings up and removes meanwhile for theirs', async () => {
    const marks = await makeMarks();
    try {
      await theirLab(shared, 'up', 'goes', ...sandbox);
      const earlier = await takeSnapshot(marks);
      await theirLab(shared, 'destroy', 'goes');
      await theirLab(shared, 'up', 'comes', ...sandbox);
      await theirLab(theirs, 'build', 'one', '--through', 'veth');
      const { own, others } = await differenceAtRest(earlier, marks, 0);
      assert.deepEqual(own, []);
      for (const pattern of [/\+ processes: .*handwired-sandbox=/, /\+ state: .*comes/, /- state: .*goes/])
        assert.match(others.join('\n'), pattern);
    } finally {
      await marks.end();
    }
  });

  it('counts each thing that this run leaves, and nothing once it is removed', async () => {
    const program = join(import.meta.dirname, 'leave.ts');
    const inside = 'ip link set lo up; mount -t tmpfs run /run; mkdir /run/mount; exec "$@"';
    const argv = ['unshare', '--net', '--mount', '--propagation', 'private', 'sh', '-c', inside, 'sh'];
    const { stdout } = await run([...argv, process.execPath, '--import', './cli/loader.mjs', program], { cwd: root });
    const counted = JSON.parse(stdout) as Record<string, { left: string[]; removed: string[] }>;
    const shows = {
      'network namespace': /\+ network namespaces: left/,
      link: /\+ links: left/,
      rule: /\+ iptables: .* left/,
      sysctl: /\+ sysctls: net\.ipv4\.ip_forward = 1/,
      process: /\+ processes: \d+ sleep 1000/,
      'process of a sandbox': /\+ processes: \d+ sleep 1001/,
      'control group': /\+ control groups: /,
      mount: /\+ mounts: .*left/,
      'temporary file': /\+ temporary files of this run: .*left/,
      lab: /\+ state: .*left/,
    };
    assert.deepEqual(Object.keys(counted), Object.keys(shows));
    for (const [what, pattern] of Object.entries(shows)) {
      assert.match(counted[what]?.left.join('\n') ?? '', pattern, what);
      assert.deepEqual(counted[what]?.removed, [], what);
    }
  });

  it('lets `make demo` pass while labs of somebody else come and go', async (t) => {
    const stop = new AbortController();
    const churn = (async (): Promise<number> => {
      let times = 0;
      for (; !stop.signal.aborted; times += 1) {
        await theirLab(shared, 'up', 'churn', ...sandbox);
        await theirLab(shared, 'destroy', 'churn');
      }
      return times;
    })();
    const argv = [process.execPath, '--import', './cli/loader.mjs', 'tests/demo.ts', '--driver', 'sandbox'];
    const ended = await run(argv, { allowFailure: true, cwd: root });
    stop.abort();
    t.diagnostic(`labs that came and went meanwhile: ${await churn}`);
    assert.equal(ended.code, 0, ended.stdout + ended.stderr);
    assert.match(ended.stdout, /nothing is left$/m);
  });
});
