import { accessSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SshTarget } from '../lab.ts';
import { run } from '../process.ts';

/** A real sshd for tests: `sshd -i` over stdio with keys and a configuration of its own. No port is opened. */
export interface TestSshd {
  endpoint: SshTarget;
  dir: string;
  remove(): Promise<void>;
}

const sshd = '/usr/sbin/sshd';

/** Why tests of ssh can't run here; false when they can. For the `skip` option of node:test. */
export function noSshd(): string | false {
  if (process.getuid?.() !== 0) return 'needs root: sshd starts sessions of root';
  try {
    accessSync(sshd);
    return false;
  } catch {
    return 'needs openssh-server: apt-get install openssh-server';
  }
}

/** Makes the keys and the endpoint. `settings`: more lines of sshd_config(5); the first line with a keyword counts. */
export async function testSshd(settings: readonly string[] = []): Promise<TestSshd> {
  // sshd's privilege separation directory, as its Debian unit makes it.
  await mkdir('/run/sshd', { recursive: true, mode: 0o755 });
  const dir = await mkdtemp(join(tmpdir(), 'handwired-sshd-'));
  for (const name of ['host', 'user']) {
    await run(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-C', 'test', '-f', join(dir, name)]);
  }
  const config = [
    ...settings,
    `HostKey ${join(dir, 'host')}`,
    `AuthorizedKeysFile ${join(dir, 'user.pub')}`,
    'PermitRootLogin prohibit-password',
    'StrictModes no',
    'UsePAM no',
    'PasswordAuthentication no',
    'KbdInteractiveAuthentication no',
    'SetEnv PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin SHLVL=1',
  ];
  await writeFile(join(dir, 'sshd_config'), `${config.join('\n')}\n`);
  return {
    dir,
    endpoint: {
      lab: 'test',
      driver: 'sandbox',
      dial: { command: [sshd, '-i', '-e', '-f', join(dir, 'sshd_config')] },
      user: 'root',
      privateKeyFile: join(dir, 'user'),
      hostKey: (await readFile(join(dir, 'host.pub'), 'utf8')).trim(),
    },
    remove: () => rm(dir, { recursive: true, force: true }),
  };
}
