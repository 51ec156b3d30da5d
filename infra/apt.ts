import { exists, run, type RunResult } from '@handwired/host';
import type { Work } from './driver.ts';

/** Packages that would start a daemon, with their units: we need the programs only. */
const daemons: Record<string, readonly string[]> = {
  containerd: ['containerd.service'],
  'docker.io': ['docker.service', 'docker.socket'],
  'openssh-server': ['ssh.service', 'ssh.socket'],
  'libvirt-daemon': ['libvirtd.service', 'libvirtd.socket', 'libvirtd-ro.socket', 'libvirtd-admin.socket'],
  'libvirt-daemon-log': ['virtlogd.service', 'virtlogd.socket', 'virtlogd-admin.socket'],
};

const quiet = { DEBIAN_FRONTEND: 'noninteractive', APT_LISTCHANGES_FRONTEND: 'none', NEEDRESTART_SUSPEND: '1' };

/** Waits for another apt-get to finish, in seconds. */
const lockTimeout = '300';

/**
 * Installs packages, asking the mirrors for new lists only when the ones at hand do not do.
 * Daemons that come with them are neither started nor enabled. An apt-get that was cut off is completed first.
 */
export async function aptInstall(names: readonly string[], command: string, work: Work): Promise<void> {
  const units = await newUnits(names);
  if (units.length > 0) await run(['systemctl', '--runtime', 'mask', '--', ...units], { allowFailure: true });
  try {
    await work.progress.stage(`Install ${names.length} system packages`, async (note) => {
      const apt = (...args: string[]): Promise<RunResult> =>
        run(['apt-get', '-q', '-y', '-o', `DPkg::Lock::Timeout=${lockTimeout}`, ...args], {
          env: quiet,
          signal: work.signal,
          allowFailure: true,
          onLine: (line) => note(line.slice(0, 100)),
        });
      const install = ['install', '--no-install-recommends', ...names];
      if ((await apt(...install)).code === 0) return;
      await run(['dpkg', '--configure', '-a'], { env: quiet, signal: work.signal, allowFailure: true });
      // A source that can't be reached makes this fail; whether the others do is for the install to say.
      await apt('update');
      await run(['apt-get', '-q', '-y', '-o', `DPkg::Lock::Timeout=${lockTimeout}`, ...install], {
        env: quiet,
        signal: work.signal,
        next: `apt-get update; ${command}`,
      });
    });
  } finally {
    if (units.length > 0) {
      await run(['systemctl', 'disable', '--', ...units], { allowFailure: true });
      await run(['systemctl', '--runtime', 'unmask', '--', ...units], { allowFailure: true });
    }
  }
}

/** Units that this installation will bring, where systemd runs; those that are there already are the user's. */
async function newUnits(names: readonly string[]): Promise<string[]> {
  if (!(await exists('/run/systemd/system'))) return [];
  const plan = await run(['apt-get', '-s', 'install', '--no-install-recommends', ...names], { allowFailure: true });
  const brought = Array.from(plan.stdout.matchAll(/^Inst (\S+)(?! \[)/gm), ([, name]) => name ?? '');
  const units: string[] = [];
  for (const unit of brought.flatMap((name) => daemons[name] ?? [])) {
    const { stdout } = await run(['systemctl', 'list-unit-files', '--no-legend', unit], { allowFailure: true });
    if (stdout.trim() === '') units.push(unit);
  }
  return units;
}
