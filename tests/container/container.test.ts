import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, rmdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { run, type RunResult } from '@handwired/host';
import { missingFor } from '../../infra/packages.ts';
import { type Marks, makeMarks } from '../marks.ts';
import { differenceAtRest, takeSnapshot, type Snapshot } from '../snapshot.ts';

const root = resolve(import.meta.dirname, '../..');
const lacks = (await missingFor('docker')).length > 0 ? 'this machine has no Docker: lab setup docker' : false;
const noDocker = process.getuid?.() === 0 ? lacks : 'a Docker daemon needs root';

describe('our container, run by a real Docker', { skip: noDocker }, () => {
  let folder: string;
  let marks: Marks;
  let snapshot: Snapshot;
  let stop: () => Promise<void>;
  const docker = (...words: string[]): Promise<RunResult> =>
    run(['docker', '--host', `unix://${folder}/docker.sock`, ...words], { allowFailure: true, timeoutMs: 300_000 });
  const must = async (...words: string[]): Promise<string> => {
    const { code, stdout, stderr } = await docker(...words);
    assert.equal(code, 0, `docker ${words.join(' ')}\n${stdout}\n${stderr}`);
    return stdout.trim();
  };

  before(async () => {
    marks = await makeMarks();
    snapshot = await takeSnapshot(marks);
    folder = await mkdtemp(join(tmpdir(), 'container-test-'));
    stop = startDocker(folder);
    const image = join(folder, 'image.tar');
    await run([process.execPath, ...process.execArgv, join(root, 'scripts/container.ts'), image]);
    while ((await docker('version')).code !== 0) await delay(100);
    await must('load', '--input', image);
    await rm(image);
  });
  after(async () => {
    await stop();
    await rm(folder, { recursive: true, force: true });
    // Others may have come and gone on the machine meanwhile.
    const { own, others } = await differenceAtRest(snapshot, marks);
    await marks.end();
    assert.deepEqual(
      [...own, ...others].filter((line) => /docker|containerd|container-test/.test(line)),
      [],
    );
  });

  it('does the main job with --privileged, and then nothing of the lab is left in it', async () => {
    const id = await must('run', '--detach', '--init', '--privileged', 'handwired', 'sleep', 'infinity');
    const inside = (command: string): Promise<string> => must('exec', id, 'bash', '-c', command);
    const look = [
      'ps -eo args= | grep -v "^ps\\|^bash\\|^grep\\|^sort" | sort',
      'cut -d" " -f2 /proc/mounts',
      'find /sys/fs/cgroup -name "handwired-[0-9a-f]*"',
      'find /root/.local/state/handwired/labs -mindepth 1',
      'echo',
    ].join('; ');
    await inside('lab up && lab destroy');
    const before = await inside(look);
    await inside('lab up && lab build && lab check && lab undo --all && lab check --chapter cleanup && lab destroy');
    assert.equal(await inside(look), before);
    assert.doesNotMatch(before, /handwired[-=]/);
    assert.equal(await inside('find /root/.npmrc /tmp -mindepth 1 2>/dev/null; echo'), '');
    await must('rm', '--force', id);
  });

  it('says how it is started when it was started without --privileged', async () => {
    const { code, stderr } = await docker('run', '--rm', 'handwired', 'lab', 'up');
    assert.equal(code, 78, stderr);
    assert.match(stderr, /--privileged/);
  });
});

/** Starts a Docker daemon; the result ends it and removes its cgroups. */
function startDocker(folder: string): () => Promise<void> {
  const own = ['--net', '--mount', '--pid', '--fork', '--kill-child=KILL', '--mount-proc', '--propagation', 'private'];
  const script = join(import.meta.dirname, 'dockerd.sh');
  const daemon = spawn('unshare', [...own, 'sh', script, folder], { stdio: 'ignore' });
  const ended = once(daemon, 'close');
  return async () => {
    daemon.kill('SIGKILL');
    await ended;
    await removeCgroups('/sys/fs/cgroup');
  };
}

/** Removes the daemon's cgroups. They can be removed once the last of their processes is gone. */
async function removeCgroups(top: string): Promise<void> {
  const found = (await readdir(top, { withFileTypes: true })).filter((entry) => entry.isDirectory());
  const trees = found.some(({ name }) => name === 'memory') ? found.map(({ name }) => join(top, name)) : [top];
  for (const tree of trees) await removeTree(join(tree, 'handwired-dockerd'));
}

async function removeTree(folder: string): Promise<void> {
  const below = await readdir(folder, { withFileTypes: true }).catch(() => undefined);
  if (below === undefined) return;
  for (const entry of below) if (entry.isDirectory()) await removeTree(join(folder, entry.name));
  for (let tries = 0; tries < 50; tries += 1) {
    if (
      await rmdir(folder).then(
        () => true,
        () => false,
      )
    )
      return;
    await delay(100);
  }
  throw new Error(`${folder} can't be removed`);
}
