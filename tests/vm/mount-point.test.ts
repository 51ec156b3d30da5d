import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { run } from '@handwired/host';

const script = resolve(import.meta.dirname, '../../infra/drivers/vm/hypervisor/mount-point.sh');

/** Runs shell commands after the function's definition, in a mount namespace of their own; their lines. */
async function inNamespace(folder: string, commands: string): Promise<string[]> {
  const argv = [
    'unshare',
    '--mount',
    '--propagation',
    'private',
    'sh',
    '-euc',
    `. '${script}'\ntop='${folder}'\n${commands}`,
  ];
  return (await run(argv, { timeoutMs: 10_000 })).stdout.trimEnd().split('\n');
}

describe('a place to mount over that the machine does not have', () => {
  let top: string;
  const listing = async (): Promise<string> => (await run(['find', top, '-ls'])).stdout;
  before(async () => {
    top = await mkdtemp(join(tmpdir(), 'handwired-test-'));
    await mkdir(join(top, 'lib/one/deep'), { recursive: true });
    await mkdir(join(top, 'lib/with space'));
    await mkdir(join(top, 'source'));
    await writeFile(join(top, 'source/mine'), 'mine');
    await writeFile(join(top, 'lib/one/deep/file'), 'kept');
    await writeFile(join(top, 'lib/.hidden'), 'kept');
    await symlink('one', join(top, 'lib/link'));
    await symlink('nowhere', join(top, 'lib/dangling'));
    await run(['mkfifo', join(top, 'lib/fifo')]);
    await run(['chmod', '751', join(top, 'lib')]);
  });
  after(() => rm(top, { recursive: true, force: true }));

  it('is there in the namespace, beside all that was there before, and never on the disk', async () => {
    const old = await listing();
    const lines = await inNamespace(
      top,
      `mount -t tmpfs inner "$top/lib/one/deep"
      echo mounted >"$top/lib/one/deep/other"
      mount_point "$top/lib/libvirt"
      mount --bind "$top/source" "$top/lib/libvirt"
      cd "$top/lib"
      cat libvirt/mine; echo
      cat one/deep/other .hidden; echo
      ls -A
      stat -c '%a %u %F' . fifo link dangling
      readlink link dangling`,
    );
    assert.deepEqual(lines, [
      'mine',
      ...['mounted', 'kept'],
      ...['.hidden', 'dangling', 'fifo', 'libvirt', 'link', 'one', 'with space'],
      ...['751 0 directory', '644 0 fifo', '777 0 symbolic link', '777 0 symbolic link'],
      ...['one', 'nowhere'],
    ]);
    assert.equal(await listing(), old);
  });

  it('may be several levels down, and what is written beside it goes to the disk as ever', async () => {
    const old = await listing();
    const lines = await inNamespace(
      top,
      `mount_point "$top/log/deep/libvirt"
      mount_point "$top/lib/libvirt"
      mount --bind "$top/source" "$top/log/deep/libvirt"
      cat "$top/log/deep/libvirt/mine"; echo
      echo new >"$top/lib/one/new"`,
    );
    assert.deepEqual(lines, ['mine']);
    assert.equal(await readFile(join(top, 'lib/one/new'), 'utf8'), 'new\n');
    await rm(join(top, 'lib/one/new'));
    assert.equal((await listing()).split('\n').length, old.split('\n').length);
  });

  it('is there below each folder in which libvirt wants one, as this machine has them', async () => {
    for (const above of ['/etc', '/run', '/var/lib', '/var/log', '/var/cache']) {
      const missing = `${above}/${basename(top)}`;
      const entries = (root: string): string =>
        `find ${root}${above} -mindepth 1 -maxdepth 1 -printf '%f %y %m %l\\n' | sort`;
      // What comes or goes on the machine meanwhile is not counted: it is not in both listings of the machine.
      const lines = await inNamespace(
        top,
        `${entries('')} >"$top/before"
        mount_point ${missing}
        ${entries('')} >"$top/after"
        ${entries('/proc/1/root')} | comm -12 - "$top/before" | comm -23 - "$top/after"
        mountpoint ${above}
        stat -c '%n %F' ${missing}`,
      );
      assert.deepEqual(lines, [`${above} is a mountpoint`, `${missing} directory`]);
      assert.equal(existsSync(missing), false);
    }
    await Promise.all(['before', 'after'].map((name) => rm(join(top, name))));
  });

  it('is left as it is where the machine has it', async () => {
    const lines = await inNamespace(top, `mount_point "$top/lib/one"\ngrep -c "$top" /proc/self/mountinfo || :`);
    assert.deepEqual(lines, ['0']);
  });
});
