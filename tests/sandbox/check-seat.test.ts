import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { build } from '@handwired/labs';
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
