import { access, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cacheDir, type Endpoint, quoteAll, run } from '@handwired/host';

/** The same checks, written with testinfra, and its versions. */
const tests = join(import.meta.dirname, 'test_lab.py');
const requirements = join(import.meta.dirname, 'requirements.txt');

interface Timed {
  seconds: number;
  passed: number;
  /** Of those that did not pass. */
  report: string;
}

/** pytest with testinfra, in a venv of its own under the cache folder; made at first use, from PyPI. */
async function pytest(): Promise<string> {
  const venv = join(cacheDir(), 'testinfra');
  const program = join(venv, 'bin/pytest');
  const there = await access(program).then(
    () => true,
    () => false,
  );
  if (there) return program;
  await mkdir(cacheDir(), { recursive: true });
  await run(['python3', '-m', 'venv', '--clear', venv]);
  await run([join(venv, 'bin/pip'), 'install', '--quiet', '-r', requirements]);
  return program;
}

/**
 * Grades a lab host that has the default plan with testinfra over the learner's ssh. `shared`: one connection for all
 * commands (ControlMaster), which testinfra does not do by itself.
 */
export async function runTestinfra(endpoint: Endpoint, shared: boolean): Promise<Timed> {
  const program = await pytest();
  const place = await mkdtemp(join(tmpdir(), 'handwired-testinfra-'));
  const config = join(place, 'ssh_config');
  await writeFile(join(place, 'known_hosts'), `lab ${endpoint.hostKey}\n`);
  await writeFile(config, sshConfig(endpoint, place, shared));
  try {
    const began = performance.now();
    const options = ['-q', '--no-header', '--tb=line', '-p', 'no:cacheprovider', '-c', '/dev/null'];
    const remote = ['--hosts=ssh://lab', `--ssh-config=${config}`];
    const { stdout, stderr } = await run([program, ...options, ...remote, tests], {
      allowFailure: true,
      timeoutMs: 600_000,
      env: { PYTHONDONTWRITEBYTECODE: '1' },
    });
    const seconds = (performance.now() - began) / 1000;
    return { seconds, passed: Number(/(\d+) passed/.exec(stdout)?.[1] ?? 0), report: stdout + stderr };
  } finally {
    // The connection that ssh keeps for the next command.
    if (shared) await run(['ssh', '-F', config, '-O', 'exit', 'lab'], { allowFailure: true });
    await rm(place, { recursive: true, force: true });
  }
}

function sshConfig({ dial, user, privateKeyFile }: Endpoint, place: string, shared: boolean): string {
  const way =
    'command' in dial
      ? [`ProxyCommand ${quoteAll(dial.command).replaceAll('%', '%%')}`]
      : [`HostName ${dial.address}`, `Port ${dial.port}`];
  return [
    'Host lab',
    `User ${user}`,
    `IdentityFile ${privateKeyFile}`,
    'IdentitiesOnly yes',
    'HostKeyAlias lab',
    `UserKnownHostsFile ${join(place, 'known_hosts')}`,
    'StrictHostKeyChecking yes',
    'LogLevel ERROR',
    ...way,
    ...(shared ? [`ControlPath ${join(place, 'ssh')}`] : []),
    '',
  ].join('\n  ');
}
