import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { findProcesses, LabSpec, run, type RunResult } from '@handwired/host';
import type { Report } from '@handwired/checker';
import { readMark } from '../../infra/drivers/sandbox/init-process.ts';
import { labCommand } from '../lab.ts';

/** `lab` as a plain user: tests/rootless/as-user.sh. */
type AsUser = (words: string[], env?: Record<string, string>) => Promise<RunResult>;

/** Gives a plain user with a home of their own for one test. Afterwards nothing of theirs may run. */
async function withUser(work: (lab: AsUser, home: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'handwired-test-'));
  const script = join(import.meta.dirname, '../rootless/as-user.sh');
  const lab: AsUser = (words, env = {}) =>
    run(['/bin/sh', script, folder, labCommand, ...words], { allowFailure: true, timeoutMs: 120_000, env });
  try {
    await work(lab, join(folder, 'home'));
  } finally {
    await lab(['destroy', '--all']);
    await rm(folder, { recursive: true, force: true });
  }
}

/** Why these tests can't run here; false when they can. */
const skip =
  process.getuid?.() !== 0
    ? 'needs root: makes a user'
    : (await run(['setpriv', '--reuid', '54321', '--clear-groups', 'test', '-r', labCommand], { allowFailure: true }))
          .code !== 0
      ? 'a plain user can not read this checkout'
      : false;

/** What of a lab is in a user's home. */
const labsIn = (home: string): Promise<string[]> => readdir(join(home, '.local/state/handwired/labs')).catch(() => []);

const read = ({ stdout }: RunResult): Report => JSON.parse(stdout) as Report;

test('a plain user makes a sandbox, builds, gets all points, undoes, and leaves nothing', { skip }, () =>
  withUser(async (lab, home) => {
    const up = await lab(['up', 'mine', '--driver', 'sandbox', '--condition', 'forward-policy=drop']);
    assert.equal(up.code, 0, up.stderr);
    assert.match(up.stderr, /without root, nothing but this machine's own limits bounds a sandbox's memory/);
    const spec = LabSpec.parse(
      JSON.parse(await readFile(join(home, '.local/state/handwired/labs/mine/lab.json'), 'utf8')),
    );
    const root = await lab(['exec', 'mine', '--', 'id -u; cat /proc/self/uid_map; cat /proc/self/limits']);
    assert.match(root.stdout, /^0\n +0 +54321 +1\n/);
    assert.match(root.stdout, /^Max processes +512 +512 /m);
    assert.equal((await lab(['build', 'mine'])).code, 0);
    const right = read(await lab(['check', 'mine', '-o', 'json']));
    assert.deepEqual([right.exit, right.summary.points, right.integrity.findings], [0, right.summary.of, []]);
    await lab(['exec', 'mine', '--', 'ip netns exec ct1 ip route del default']);
    const wrong = await lab(['check', 'mine', '-o', 'json']);
    assert.equal(wrong.code, 1);
    const failed = read(wrong).checks.filter(({ verdict }) => verdict === 'fail');
    assert.ok(
      failed.some(({ id }) => id === 'addressing.ct1-route'),
      JSON.stringify(failed.map(({ id }) => id)),
    );
    assert.equal((await lab(['undo', 'mine', '--all'])).code, 0);
    assert.equal((await lab(['check', 'mine', '--chapter', 'cleanup'])).code, 0);
    assert.equal((await lab(['reset', 'mine'])).code, 0);
    // A session that was stopped by a signal keeps the end of its namespaces waiting.
    const stopped = lab(['exec', 'mine', '--', 'echo stops; kill -STOP $$']);
    await lab(['exec', 'mine', '--', 'until grep -q "^State:.T" /proc/[0-9]*/status; do sleep 0.05; done']);
    assert.equal((await lab(['destroy', 'mine'])).code, 0);
    await stopped;
    assert.deepEqual(await labsIn(home), []);
    assert.deepEqual(await findProcesses('cmdline', (word) => word === readMark(spec.instance)), []);
  }),
);

test("a learner in it changes programs and files as on any lab host, and never the machine's", { skip }, () =>
  withUser(async (lab) => {
    assert.equal((await lab(['up', 'mine', '--driver', 'sandbox'])).code, 0);
    const change =
      'rm /usr/bin/less && echo mine >/usr/bin/less && echo x >/etc/motd && : >/var/log/x && echo hi >/dev/null';
    assert.equal((await lab(['exec', 'mine', '--', `${change} && cat /usr/bin/less`])).stdout, 'mine\n');
    assert.notEqual((await run(['head', '-c', '5', '/usr/bin/less'])).stdout, 'mine\n');
    const outside = await lab([
      'exec',
      'mine',
      '--',
      'ls /home; cat /etc/shadow; sysctl -w kernel.hostname=x kernel.panic=5',
    ]);
    assert.doesNotMatch(outside.stdout, /54321|learner/);
    assert.notEqual((await run(['cat', '/proc/sys/kernel/panic'])).stdout, '5\n');
  }),
);

test('a user who can not have a sandbox is told why and what to type, and no half of one is left', { skip }, () =>
  withUser(async (lab, home) => {
    const refused = await lab(['up', 'mine', '--driver', 'sandbox'], { SUBIDS: 'no' });
    assert.equal(refused.code, 78);
    assert.match(refused.stderr, /learner has no subordinate ids/);
    assert.match(
      refused.stderr,
      /next: +sudo usermod --add-subuids 1000000-1065535 --add-subgids 1000000-1065535 learner\n/,
    );
    assert.deepEqual(await labsIn(home), []);
    assert.equal((await lab(['up', 'mine', '--driver', 'sandbox', '--memory', '256'])).code, 0);
  }),
);
