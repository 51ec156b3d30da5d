import { createHash } from 'node:crypto';
import { access, mkdir, readdir, rm } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { cacheDir, LabError, labDir, run, startDetached, stateDir, writeAtomic } from '@handwired/host';
import type { Work } from '../../../driver.ts';
import { endProcess, type ProcessId, readPidFile } from '../identity.ts';
import { answers } from '../virsh.ts';
import { lastLines, leftoverGuests } from './leftovers.ts';

/** Folders of this user's private hypervisor. `run` is short, as a unix socket's path has 107 bytes at most. */
export interface PrivateFolders {
  run: string;
  state: string;
  cache: string;
  /** One empty file for each lab that lives on it. */
  users: string;
}

export function privateFolders(): PrivateFolders {
  const key = createHash('sha256').update(`${userInfo().uid}\n${stateDir()}`).digest('hex').slice(0, 8);
  const state = join(stateDir(), 'hypervisor');
  return { run: `/run/handwired-${key}`, state, cache: join(cacheDir(), 'libvirt'), users: join(state, 'users') };
}

export const privateUri = (): string => `qemu:///system?socket=${privateFolders().run}/libvirt-sock`;

/** Settings under which libvirtd works as root in namespaces of its own, without cgroups, AppArmor or a system bus. */
const configuration: Record<string, string> = {
  'qemu.conf': `namespaces = []
security_driver = "none"
remember_owner = 0
dynamic_ownership = 0
cgroup_controllers = []
user = "root"
group = "root"
`,
  'libvirtd.conf': `auth_unix_ro = "none"
auth_unix_rw = "none"
unix_sock_ro_perms = "0700"
unix_sock_rw_perms = "0700"
`,
  // Two files of 1 MiB a console.
  'virtlogd.conf': 'max_size = 1048576\nmax_backups = 1\n',
};

/** The daemon whose namespaces our VMs live in, when it is alive. */
export async function privateDaemon(): Promise<ProcessId | undefined> {
  return readPidFile(join(privateFolders().run, 'libvirtd.pid'));
}

/**
 * A libvirtd of our own, started when it is not there; the caller holds the hypervisor's lock.
 * A daemon that was killed is started again in the namespaces where its VMs still run.
 */
export async function ensurePrivate(kvm: boolean, work: Work): Promise<ProcessId> {
  const folders = privateFolders();
  const running = await privateDaemon();
  const logger = await readPidFile(join(folders.run, 'virtlogd.pid'));
  if (running && (await answers(privateUri(), 5000, work.signal))) {
    if (!logger) await start(folders, running, 'logger', kvm);
    return running;
  }
  if (running) await endProcess(running);
  if (!logger) await clear(folders);
  await writeConfiguration(folders);
  const pid = await start(folders, logger, 'again', kvm);
  try {
    return await waitUntilItAnswers(pid, logOf(folders), work);
  } catch (error) {
    // Namespaces in which no daemon starts are of use only to guests that run there: the next try makes new ones.
    if ((await leftoverGuests(folders.run)).length === 0) await clear(folders);
    throw error;
  }
}

const unshare = ['unshare', '--net', '--mount', '--propagation', 'private'];
const logOf = (folders: PrivateFolders): string => join(folders.state, 'daemon.log');

/** Runs start.sh in new namespaces, or in those of a process that lives there. */
function start(folders: PrivateFolders, inside: ProcessId | undefined, part: string, kvm: boolean): Promise<number> {
  const way = inside ? ['nsenter', '-t', String(inside.pid), '-n', '-m'] : unshare;
  const words = [folders.run, folders.state, folders.cache, kvm ? 'kvm' : 'no', ...(inside ? [part] : [])];
  return startDetached([...way, '/bin/sh', join(import.meta.dirname, 'start.sh'), ...words], logOf(folders));
}

async function waitUntilItAnswers(pid: number, log: string, work: Work): Promise<ProcessId> {
  // The first start asks each QEMU binary what it can do; later ones find that in the cache.
  const deadline = Date.now() + 60_000;
  while (Date.now() < deadline) {
    const daemon = await privateDaemon();
    if (daemon && (await answers(privateUri(), 30_000, work.signal))) return daemon;
    if (!daemon && !(await exists(`/proc/${pid}`))) break;
    await delay(20, undefined, { signal: work.signal });
  }
  throw new LabError({
    what: 'our private libvirtd does not start',
    where: `${log}:\n${await lastLines(log, 3)}`,
    next: 'lab doctor',
  });
}

async function writeConfiguration(folders: PrivateFolders): Promise<void> {
  await mkdir(folders.run, { recursive: true, mode: 0o700 });
  for (const [name, text] of Object.entries(configuration)) await writeAtomic(join(folders.state, 'etc', name), text);
}

/** Ends everything of the private hypervisor and removes its folders; the caller holds the lock. */
export async function stopPrivate(): Promise<string[]> {
  const folders = privateFolders();
  const daemon = await privateDaemon();
  const existed = daemon !== undefined || (await exists(folders.state));
  await clear(folders);
  await rm(folders.state, { recursive: true, force: true });
  return existed ? [`private hypervisor ${folders.run}`] : [];
}

/** Ends what is left of the processes, guests first, and empties the folder of sockets and pid files. */
async function clear(folders: PrivateFolders): Promise<void> {
  const daemons = [await privateDaemon(), await readPidFile(join(folders.run, 'virtlogd.pid'))];
  // Guests and dnsmasq of daemons that were killed live on, unseen by a new one.
  for (const guest of await leftoverGuests(folders.run)) await endProcess(guest, 0);
  for (const daemon of daemons) if (daemon) await endProcess(daemon);
  await rm(folders.run, { recursive: true, force: true });
}

export const enlist = (lab: string): Promise<void> => writeAtomic(join(privateFolders().users, lab), '');

export const isEnlisted = (lab: string): Promise<boolean> => exists(join(privateFolders().users, lab));

/** Takes the lab off the list. Returns whether any other lab that still exists is on it. */
export async function strikeOff(lab: string): Promise<boolean> {
  const { users } = privateFolders();
  await rm(join(users, lab), { force: true });
  for (const user of await readdir(users).catch(() => []))
    if (!user.endsWith('.tmp') && (await exists(labDir(user)))) return true;
  return false;
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

/** Root's rights are what namespaces, bridges and mounts take. */
export function requireRoot(): void {
  if (userInfo().uid === 0) return;
  throw new LabError({
    what: 'no libvirt daemon answers here, and starting a private one takes root',
    where: 'qemu:///system',
    next: 'sudo -E node_modules/.bin/lab up, or start libvirtd, or lab up --uri URI, or lab up --driver sandbox',
  });
}

/** Where a private libvirtd can be started at all. */
export async function canBePrivate(): Promise<boolean> {
  if (userInfo().uid !== 0) return false;
  const { code } = await run([...unshare, 'true'], { allowFailure: true, timeoutMs: 5000 }).catch(() => ({ code: 1 }));
  return code === 0;
}
