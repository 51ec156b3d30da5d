/**
 * Run by snapshot.test.ts in network and mount namespaces of its own, so that the machine stays as it is. Leaves one
 * thing after the other, as a run with a mistake would, and removes it after the comparison. Prints as JSON, for each
 * thing, what the comparison counted as this run's, and what it still counted once the thing was removed.
 */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, rm, rmdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { exists, findProcesses, run } from '@handwired/host';
import { labCommand } from '../lab.ts';
import { type Marks, makeMarks, readMarks } from '../marks.ts';
import { differenceAtRest, takeSnapshot } from '../snapshot.ts';

const name = `left${randomBytes(3).toString('hex')}`;
const instance = randomBytes(6).toString('hex');

/** Starts a program that outlives us; what ends it and its children. */
function start(argv: readonly [string, ...string[]]): () => Promise<unknown> {
  const { pid = 0 } = spawn(argv[0], argv.slice(1), { detached: true, stdio: 'ignore' });
  return () => Promise.resolve(process.kill(-pid, 'SIGKILL'));
}

/** Each leaves one thing, and returns what removes it. */
const things: Record<string, (marks: Marks) => Promise<() => Promise<unknown>>> = {
  'network namespace': async () => {
    await run(['ip', 'netns', 'add', name]);
    // ip-netns(8) makes the folder a mount of its own, once.
    return () => run(['sh', '-euc', 'ip netns del "$0"; umount /run/netns; rmdir /run/netns', name]);
  },
  link: async () => {
    await run(['ip', 'link', 'add', name, 'type', 'bridge']);
    return () => run(['ip', 'link', 'del', name]);
  },
  rule: async () => {
    const rule = ['FORWARD', '-i', name, '-j', 'ACCEPT'];
    await run(['iptables', '-A', ...rule]);
    return () => run(['nft', 'flush', 'ruleset']);
  },
  sysctl: async () => {
    await run(['sysctl', '-qw', 'net.ipv4.ip_forward=1']);
    return () => run(['sysctl', '-qw', 'net.ipv4.ip_forward=0']);
  },
  process: () => Promise.resolve(start(['sleep', '1000'])),
  'process of a sandbox': async (marks) => {
    marks.instances.add(instance);
    // The first process of a pid namespace has the mark, and its child, like any program of a learner, has not.
    const first = ['sh', '-c', 'sleep 1001; :', `handwired-sandbox=${instance}`];
    const remove = start([
      'env',
      '-i',
      'unshare',
      '--mount',
      '--pid',
      '--fork',
      '--kill-child',
      '--mount-proc',
      ...first,
    ]);
    while ((await findProcesses('cmdline', (word) => word === '1001')).length === 0);
    return remove;
  },
  'control group': async (marks) => {
    marks.instances.add(instance);
    const top = (await exists('/sys/fs/cgroup/pids')) ? '/sys/fs/cgroup/pids' : '/sys/fs/cgroup';
    const made = join(top, `handwired-${instance}`);
    await mkdir(made);
    return () => rmdir(made);
  },
  mount: async ({ temporary }) => {
    const folder = join(dirname(temporary), name);
    await mkdir(folder);
    await run(['mount', '-t', 'tmpfs', 'handwired', folder]);
    return () => run(['umount', folder]).then(() => rmdir(folder));
  },
  'temporary file': async ({ temporary }) => {
    await writeFile(join(temporary, name), '');
    return () => rm(join(temporary, name));
  },
  lab: async (marks) => {
    marks.names.add(name);
    await run([labCommand, 'up', name, '--driver', 'sandbox']);
    await readMarks(marks);
    return () => run([labCommand, 'destroy', name]);
  },
};

const counted: Record<string, { left: string[]; removed: string[] }> = {};
for (const [what, leave] of Object.entries(things)) {
  const marks = await makeMarks();
  const before = await takeSnapshot(marks);
  const remove = await leave(marks);
  const { own: left } = await differenceAtRest(before, marks, 0);
  await remove();
  const { own: removed } = await differenceAtRest(before, marks);
  counted[what] = { left, removed };
  await marks.end();
}
process.stdout.write(JSON.stringify(counted));
