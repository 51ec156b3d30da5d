import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { build } from '@handwired/labs';
import { observeFacts } from '@handwired/checker';
import { course, misses, withGraded } from './grading.ts';

/** What a learner, who is root, can do to everything that a grader inside would run. */
const replaced: [name: string, script: string][] = [
  ['python3 is a program that does nothing', 'mount --bind /usr/bin/true /usr/bin/python3'],
  ['an ip that prints nothing', 'mount --bind /usr/bin/true /usr/sbin/ip'],
  [
    'an nft that never stops',
    'printf "#!/bin/sh\\nexec yes\\n" >/tmp/y; chmod +x /tmp/y; mount --bind /tmp/y /usr/sbin/nft',
  ],
  ['getent says what it likes', 'printf "#!/bin/sh\\necho 1.2.3.4 STREAM\\n" >/usr/bin/getent'],
  ['sh, bash and sshd are gone', 'rm -f /usr/bin/dash /usr/bin/bash /usr/sbin/sshd'],
  ['a library is loaded into everything', 'echo /usr/lib/nothing.so >/etc/ld.so.preload'],
  ['/usr is an empty folder', 'mkdir /tmp/empty; mount --bind /tmp/empty /usr'],
  ['/proc is hidden', 'mount -t tmpfs none /proc'],
  ["root's shell is noisy", 'echo \'echo "noise $RANDOM"; alias ip=false; export LD_PRELOAD=/x.so\' >>/root/.bashrc'],
];

for (const [name, script] of replaced) {
  test(`A right build passes, whatever the learner's own programs are: ${name}`, () =>
    withGraded({}, async ({ host, type, check }) => {
      await build(host.session, host.plan, { chapters: course });
      await type(script);
      assert.deepEqual(misses(await check()), []);
    }));
}

test('The grader is no process of the lab host, and none that its limits hold', () =>
  withGraded({}, async ({ host, type }) => {
    const inside = host.session.exec('for n in 1 2 3 4 5 6 7 8; do ps -eo args; done');
    const looked = await host.seat.exec(['/usr/bin/python3', '-ISBc', 'import time; time.sleep(0.3)']);
    assert.equal(looked.code, 0);
    assert.doesNotMatch((await inside).stdout, /-ISB/);
    const pid = Number((await host.seat.exec(['/bin/sh', '-c', 'echo $PPID'])).stdout);
    assert.equal(pid, process.pid);
    const groups = await readFile('/proc/self/cgroup', 'utf8');
    assert.equal((await host.seat.exec(['/bin/cat', '/proc/self/cgroup'])).stdout, groups);
    await type('for n in $(seq 600); do sleep 60 & done 2>/dev/null');
    assert.equal((await host.seat.exec(['/bin/true'])).code, 0);
  }));

const inWorld = 'nsenter --net=/proc/$(cat /run/handwired/world.pid)/ns/net';
const worlds: [name: string, script: string, told: RegExp][] = [
  ['a rule', `${inWorld} iptables -t nat -A PREROUTING -p tcp --dport 80 -j REDIRECT`, /new nft table ip nat/],
  [
    'a server of their own in its place',
    `n=$(cat /run/handwired/world.pid); exec 9</proc/$n/ns/net; kill -9 $n; while kill -0 $n 2>/dev/null; do :; done
    cd /usr/local/lib/handwired; nsenter --net=/proc/self/fd/9 ./world -I -S files/world.py`,
    /changed its process/,
  ],
];

test('A world that was tampered with is our error with what differs, whatever it answers', async () => {
  for (const [name, script, told] of worlds) {
    await withGraded({}, async ({ host, type, check }) => {
      await build(host.session, host.plan, { chapters: course });
      const output = await type(script);
      const report = await check();
      assert.equal(report.exit, 3, `${name}: ${output}`);
      const because = report.checks.find(({ id }) => id === 'egress.ct1')?.because ?? '';
      assert.match(because, told, name);
      assert.match(because, /Next: lab reset$/);
      assert.equal(report.checks.find(({ id }) => id === 'bridge.up')?.verdict, 'pass');
    });
  }
});

test('Programs, libraries and settings that are not the own ones of the image are told; an untouched lab host has none', () =>
  withGraded({}, async ({ host, baseline, type }) => {
    assert.deepEqual(baseline.altered, []);
    await type(`echo 'alias ping="echo 64 bytes"' >>/root/.bashrc
mkdir -p /usr/local/bin; printf '#!/bin/sh\n' >/usr/local/bin/curl; printf '#!/bin/sh\n' >/usr/bin/dig; touch /etc/ld.so.preload
rm /usr/bin/nc.traditional /usr/bin/nc 2>/dev/null; mount --bind /usr/bin/true /usr/sbin/ip; mount -t tmpfs none /proc/sys`);
    const told = (await observeFacts(host.seat, { baseline })).altered.map(({ path, what }) => `${path} ${what}`);
    for (const line of [
      /^\/root\/\.bashrc makes ping an alias$/,
      /^\/usr\/local\/bin\/curl comes before \/usr\/bin\/curl in PATH$/,
      /^\/usr\/bin\/dig differs from the image's own$/,
      /^\/etc\/ld\.so\.preload is there, and the image has none$/,
      /ip is covered by a mount \(\w+\)$/,
      /ip differs from the image's own$/,
      /^\/proc\/sys is covered by a mount \(tmpfs\)$/,
    ]) {
      assert.ok(
        told.some((entry) => line.test(entry)),
        `${String(line)}: ${told.join('\n')}`,
      );
    }
  }));

test('What changes without end while the grader looks is told, and is no verdict', () =>
  withGraded({}, async ({ host, type, check }) => {
    await build(host.session, host.plan, { chapters: course });
    await type(`setsid sh -c 'n=0; while :; do n=$((n + 1)); ip addr add 10.7.$((n / 250)).$((n % 250))/32 dev lo; done' \
      >/dev/null 2>&1 </dev/null &`);
    const report = await check();
    assert.equal(report.exit, 3);
    assert.match(report.checks[0]?.because ?? '', /changed while we looked: .*addresses.*Next: lab check/);
    assert.equal(report.summary.points, null);
  }));
