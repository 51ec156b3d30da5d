import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gradedChapters as chapters } from '@handwired/labs/checks';
import { LabError } from '@handwired/host';
import { build, undo } from '@handwired/labs';
import { missingFor } from '../../infra/packages.ts';
import { compareLab } from '../../checker/compare/compare.ts';
import { course, failures, type Graded, misses, said, withGraded } from './grading.ts';
import type { LabHost } from './lab-host.ts';
import { noSandbox } from './sandbox.ts';

/** All that a Docker could leave on a lab host. */
const traces = [
  'ip -o link | cut -d: -f2; ip netns list; ip netns list-id; iptables-save | grep -v "^[#:]"; nft list tables',
  'find /etc /run /var /opt /root /home /srv /tmp /usr/local -xdev | grep -v "^/run/\\(handwired\\|xtables\\|lock\\)" | sort',
  'cut -d " " -f 2 /proc/mounts; find /sys/fs/cgroup -type d; ps -eo args= | grep -v "^\\(ps\\|sshd\\|grep\\|/bin/sh\\|sh\\|sort\\)" | sort',
].join('; ');

const noDocker =
  noSandbox || ((await missingFor('docker')).length > 0 ? 'this machine has no Docker: lab setup docker' : false);

test(
  'A real Docker is built beside the network, graded, compared, and undone to the last file',
  {
    skip: noDocker,
  },
  (t) =>
    withGraded({}, async (graded) => {
      const { host, check } = graded;
      await build(host.session, host.plan, { chapters: course });
      const before = await tracesOf(host);
      const start = performance.now();
      await build(host.session, host.plan, { chapters: ['docker'] });
      t.diagnostic(`chapter docker is built in ${Math.round(performance.now() - start)} ms`);
      const report = await check();
      assert.deepEqual([misses(report), report.exit], [[], 0]);
      await assertCompared(graded);
      await assertAgain(host);
      await assertWrong(graded);
      await undo(host.session, host.plan, { chapters: ['docker'] });
      await assertSame(host, before);
      assert.equal((await check()).exit, 0);
      await assertImage(host);
    }),
);

test(
  'A Docker that was killed is taken away all the same; without one the build says how to get it',
  {
    skip: noDocker,
  },
  () =>
    withGraded({}, async ({ host }) => {
      const before = await tracesOf(host);
      await build(host.session, host.plan, { chapters: ['docker'] });
      await host.sh('pkill -KILL -x dockerd; while pgrep -x dockerd; do :; done');
      await undo(host.session, host.plan, { chapters: ['docker'] });
      await assertSame(host, before);
      await undo(host.session, host.plan, { chapters: ['docker'] });
      await assertSame(host, before);
      await host.sh('rm /usr/sbin/dockerd');
      await assert.rejects(build(host.session, host.plan, { chapters: ['docker'] }), (error) => {
        assert.ok(error instanceof LabError);
        assert.equal(error.message, 'there is no dockerd on this lab host');
        assert.equal(error.next, 'lab setup docker');
        return true;
      });
      assert.equal(await host.sh('ls /run/netns'), 'keep\n');
    }),
);

/** One line a trace. */
const tracesOf = async ({ sh }: LabHost): Promise<string[]> => (await sh(traces)).split('\n');

/** Asserts that the lab host is as before. Waits for what the kernel removes later (cleanup_net). */
async function assertSame(host: LabHost, before: readonly string[]): Promise<void> {
  const end = performance.now() + 10_000;
  for (;;) {
    const now = await tracesOf(host);
    const left = now.filter((line) => !before.includes(line));
    const gone = before.filter((line) => !now.includes(line));
    if (left.every((line) => line.startsWith('nsid ')) && left.length > 0 && performance.now() < end) continue;
    assert.deepEqual({ left, gone }, { left: [], gone: [] });
    return;
  }
}

/** The image is the same bits each time. */
async function assertImage({ sh }: LabHost): Promise<void> {
  const digest = 'sh /usr/local/lib/handwired/files/docker-image | sha256sum';
  const first = await sh(digest);
  assert.equal(await sh(`cd /run; umask 077; ${digest}`), first);
}

async function assertCompared({ host, baseline, record }: Graded): Promise<void> {
  const found = await compareLab({ seat: host.seat, chapters, plan: host.plan, baseline, record });
  assert.ok(typeof found !== 'string');
  assert.deepEqual(found.unexplained, []);
  assert.deepEqual(
    found.objects.filter(({ verdict }) => verdict === 'unexplained'),
    [],
  );
  assert.ok(found.objects.length > 25);
}

/** Asserts that a second build runs only the step `look`. */
async function assertAgain(host: LabHost): Promise<void> {
  const ran: string[] = [];
  await build(host.session, host.plan, {
    chapters: ['docker'],
    onStep: ({ step, status }) => {
      if (status === 'run') ran.push(step);
    },
  });
  assert.deepEqual(ran, ['look']);
}

/** A container that does not run, and something else that answers in its place. */
async function assertWrong({ type, check }: Graded): Promise<void> {
  await type('docker rm -f web');
  assert.deepEqual(failures(await check({ only: 'docker' })), ['docker.container']);
  await type('docker run -d --name web web');
  const page = "printf 'HTTP/1.0 200 OK\\r\\n\\r\\nhi'";
  const other = `socat TCP-LISTEN:8080,fork,reuseaddr SYSTEM:"${page}"`;
  await type(`setsid --fork ip netns exec docker ${other} < /dev/null > /dev/null 2>&1
until ip netns exec docker ss -Hltn sport = 8080 | grep -q .; do :; done`);
  const report = await check({ only: 'docker' });
  assert.deepEqual(failures(report), ['docker.published']);
  assert.match(said(report, 'docker.published'), /nothing left by docker0/);
}
