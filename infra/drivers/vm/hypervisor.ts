import { createHash } from 'node:crypto';
import { constants, lstat, mkdir, readdir, readFile, readlink, rm } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import {
  cacheDir,
  endProcess,
  EXIT,
  exists,
  findProcesses,
  labDir,
  LabError,
  type LabSpec,
  partialSuffix,
  type ProcessId,
  quote,
  readBootId,
  readJson,
  readPidFile,
  readStartTime,
  readWords,
  startDetached,
  stateDir,
  underLock,
  writeAtomic,
  writeJson,
} from '@handwired/host';
import { z } from 'zod';
import type { Work } from '../../driver.ts';
import { asRoot, findRefusal, isRoot, type Refusal } from '../../user-namespace.ts';
import { describeOwner, Owner } from '../shared/owner.ts';
import { probeAcceleration } from './acceleration.ts';
import { findSilence } from './virsh.ts';

/** The daemon that runs a lab. `given`: from the user's --uri. `system`: this machine's. `private`: one of our own. */
export const HypervisorAddress = z.object({ kind: z.enum(['given', 'system', 'private']), uri: z.string() });
export type HypervisorAddress = z.infer<typeof HypervisorAddress>;

/** Whether a libvirt daemon answers at the URI within the time. */
const answers = async (uri: string, timeoutMs: number, signal?: AbortSignal): Promise<boolean> =>
  (await findSilence(uri, timeoutMs, signal)) === undefined;

/** A libvirt daemon that answers. */
export interface Hypervisor extends HypervisorAddress {
  /** A process in the private hypervisor's namespaces. Its networks are reached through it. */
  pid?: number;
}

/** The libvirt daemon of this machine, and the sockets by which it is there. */
export const systemUri = 'qemu:///system';
export const systemSockets = ['/run/libvirt/libvirt-sock', '/run/libvirt/virtqemud-sock'];

/** Which daemon a new lab would use, without starting any. */
export async function chooseHypervisor(uri: string | undefined, signal: AbortSignal): Promise<HypervisorAddress> {
  if (uri !== undefined) return { kind: 'given', uri };
  if (await systemAnswers(signal)) return { kind: 'system', uri: systemUri };
  return { kind: 'private', uri: privateUri() };
}

async function systemAnswers(signal: AbortSignal): Promise<boolean> {
  const found = await Promise.all(systemSockets.map((path) => exists(path)));
  return found.includes(true) && (await answers(systemUri, 3000, signal));
}

/**
 * The lab's hypervisor, which is not started: the one in its record, else `--uri`, else the system's, else a private
 * one. LabError: it does not answer, and why; or this user can't start a private one.
 */
export async function findHypervisor(
  spec: LabSpec,
  recorded: HypervisorAddress | undefined,
  signal: AbortSignal,
): Promise<HypervisorAddress> {
  const chosen = recorded ?? (await chooseHypervisor(spec.uri, signal));
  if (chosen.kind === 'private') {
    const refusal = isRoot() ? undefined : await findPrivateRefusal(signal);
    if (refusal) throw new LabError({ ...refusal, exit: EXIT.config });
    return chosen;
  }
  const silence = await findSilence(chosen.uri, 5000, signal);
  if (!silence) return chosen;
  throw new LabError({
    what: `no libvirt daemon answers at ${chosen.uri}: ${silence.why}`,
    where: chosen.kind === 'given' ? 'the URI given with --uri' : 'the libvirt daemon of this machine',
    next: silence.next,
    exit: EXIT.config,
  });
}

/**
 * The same, and it answers: a private one is started when it does not run, and the lab is registered with it. LabError:
 * as `findHypervisor`, or the private one does not start.
 */
export async function ensureHypervisor(
  spec: LabSpec,
  recorded: HypervisorAddress | undefined,
  work: Work,
): Promise<Hypervisor> {
  const chosen = await findHypervisor(spec, recorded, work.signal);
  if (chosen.kind !== 'private') return chosen;
  const { accelerator } = await probeAcceleration(work);
  return underLock(lockName(), { signal: work.signal }, async () => {
    await registerLab(spec.name);
    const { pid } = await ensurePrivate(accelerator === 'kvm', work);
    return { ...chosen, pid };
  });
}

/**
 * Every daemon that answers and may have objects of a lab that has no record. A daemon that does not answer has none:
 * the record is written before anything is made.
 */
export async function listHypervisors(spec: LabSpec, signal: AbortSignal): Promise<HypervisorAddress[]> {
  const found: HypervisorAddress[] = [];
  if (spec.uri !== undefined) {
    if (await answers(spec.uri, 5000, signal)) found.push({ kind: 'given', uri: spec.uri });
  } else if (await systemAnswers(signal)) {
    found.push({ kind: 'system', uri: systemUri });
  }
  if (await isRegistered(spec.name)) found.push({ kind: 'private', uri: privateUri() });
  return found;
}

/**
 * Makes sure that the hypervisor at which a lab may have objects answers, so that they can be removed. Gives false when it
 * does not answer and nothing of the lab can run there. What a private one still had defined of the lab is removed then.
 * LabError: a VM of the lab may run where nothing answers.
 */
export async function openForRemoval(
  spec: LabSpec,
  object: string,
  address: HypervisorAddress,
  work: Work,
): Promise<boolean> {
  if (address.kind === 'private') {
    const { run, state } = privateFolders();
    const daemon = await privateDaemon();
    if (daemon && (await answers(address.uri, 5000, work.signal))) return true;
    if (!daemon && (await leftoverGuests(run)).length === 0) {
      await underLock(lockName(), { signal: work.signal }, () => removeNamed(state, object));
      return false;
    }
    await ensureHypervisor(spec, address, work);
    return true;
  }
  const silence = await findSilence(address.uri, 5000, work.signal);
  if (!silence) return true;
  const isHere = /^qemu(\+unix)?:\/\/\//.test(address.uri);
  if (isHere && (await findProcesses('cmdline', (word) => word.startsWith(`guest=${object},`))).length === 0) {
    const later = 'what it keeps of the lab is shown by lab status once it answers';
    work.progress.note(`no libvirt daemon answers at ${address.uri} (${silence.why}), and no VM runs; ${later}`);
    return false;
  }
  throw new LabError({
    what: `no libvirt daemon answers at ${address.uri}, where a VM of lab ${spec.name} may run: ${silence.why}`,
    where: address.uri,
    next: `${silence.next}   (or, if it is gone for good: rm -r ${quote(labDir(spec.name))})`,
    exit: EXIT.config,
  });
}

/** Removes files and folders that have a lab's object in their name. */
async function removeNamed(folder: string, object: string): Promise<void> {
  const entries = await readdir(folder, { recursive: true }).catch(() => []);
  for (const entry of entries)
    if (basename(entry).includes(object)) await rm(join(folder, entry), { recursive: true, force: true });
}

/** Takes a destroyed lab off the private hypervisor's list. Stops it after its last lab; returns a line for that. */
export function leaveHypervisor(lab: string, signal: AbortSignal, folders = privateFolders()): Promise<string[]> {
  return underLock(lockName(folders), { signal }, async () =>
    (await unregisterLab(lab, folders)) ? [] : stopPrivate(folders),
  );
}

/** The lab's hypervisor, without starting it; undefined when a private one does not run or another does not answer. */
export async function runningHypervisor(
  recorded: HypervisorAddress,
  signal: AbortSignal,
): Promise<Hypervisor | undefined> {
  if (recorded.kind === 'private') {
    const daemon = await privateDaemon();
    return daemon && { ...recorded, pid: daemon.pid };
  }
  return (await answers(recorded.uri, 2000, signal)) ? recorded : undefined;
}

/** Held by whoever starts or stops the private hypervisor, or changes the list of its labs. */
const lockName = ({ labs } = privateFolders()): string => `hypervisor ${labs}`;

/** Folders of a private hypervisor. `run` is short, because a unix socket's path has at most 107 bytes. */
export interface PrivateFolders {
  run: string;
  state: string;
  cache: string;
  /** Holds an empty file for each lab of this hypervisor. */
  users: string;
  /** The state folder whose labs it runs. */
  labs: string;
}

/** Where the folders of sockets are. A plain user's: not where they go when the user logs out (XDG_RUNTIME_DIR). */
const runParent = (): string => (isRoot() ? '/run' : '/tmp');

/** Where this user's private hypervisor keeps its files. */
export function privateFolders(): PrivateFolders {
  const key = createHash('sha256').update(`${userInfo().uid}\n${stateDir()}`).digest('hex').slice(0, 8);
  return describeFolders(join(runParent(), `handwired-${key}`), stateDir());
}

function describeFolders(run: string, labs: string): PrivateFolders {
  const state = join(labs, 'hypervisor');
  return { run, state, cache: join(cacheDir(), 'libvirt'), users: join(state, 'users'), labs };
}

/** Every private hypervisor of this machine that says whose it is, running or not. */
export async function findPrivateHypervisors(): Promise<(PrivateFolders & { owner: Owner })[]> {
  const names = (await readdir(runParent()).catch(() => [])).filter((name) => /^handwired-[0-9a-f]{8}$/.test(name));
  const found = names.map(async (name) => {
    if (!(await isOurs(join(runParent(), name)))) return [];
    const owner = await readJson(join(runParent(), name, 'owner.json'), Owner).catch(() => undefined);
    return owner ? [{ ...describeFolders(join(runParent(), name), owner.state), owner }] : [];
  });
  return (await Promise.all(found)).flat();
}

/** The libvirt URI of a private hypervisor, by default this user's. */
export const privateUri = ({ run } = privateFolders()): string => `qemu:///system?socket=${run}/libvirt-sock`;

/** Settings for a libvirtd that is root in namespaces of its own, without cgroups, AppArmor or a system bus. */
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
  // Two files of 1 MiB for each console.
  'virtlogd.conf': 'max_size = 1048576\nmax_backups = 1\n',
};

/** The private libvirtd, in whose namespaces our VMs live; undefined when it does not run. */
export const privateDaemon = (folders = privateFolders()): Promise<ProcessId | undefined> =>
  readDaemon('libvirtd', folders);

/** A daemon, by its pid file. Where anybody may make a folder or a boot leaves one, only our own of this boot counts. */
async function readDaemon(name: 'libvirtd' | 'virtlogd', { run }: PrivateFolders): Promise<ProcessId | undefined> {
  const boot = await readFile(join(run, 'boot'), 'utf8').catch(() => undefined);
  if ((boot !== undefined && boot !== (await readBootId())) || !(await isOurs(run))) return undefined;
  return readPidFile(join(run, `${name}.pid`));
}

/** Whether a folder is this user's own, and no link to one. */
async function isOurs(folder: string): Promise<boolean> {
  const about = await lstat(folder).catch(() => undefined);
  return about?.isDirectory() === true && about.uid === process.getuid?.();
}

/** In front of an argv: enters namespaces of a process of the private hypervisor, as options of nsenter(1) name them. */
export const enterPrivate = (pid: number, ...which: string[]): string[] => [
  'nsenter',
  '-t',
  String(pid),
  ...(isRoot() ? [] : ['-U']),
  ...which,
];

/**
 * Starts our own libvirtd unless it runs. The caller holds the hypervisor's lock. When a daemon was killed, the new one
 * is started in the namespaces where the VMs still run.
 */
async function ensurePrivate(kvm: boolean, work: Work): Promise<ProcessId> {
  const folders = privateFolders();
  // With the state folder, all of its labs are lost. A daemon without its files makes no other ones.
  if ((await privateDaemon()) && !(await hasFiles(folders))) {
    work.progress.note('the private hypervisor had lost its files: it is ended with what it ran');
    await clear(folders);
  }
  const running = await privateDaemon();
  const logger = await readDaemon('virtlogd', folders);
  if (running && (await answers(privateUri(), 5000, work.signal))) {
    if (!logger) await start(folders, running, 'logger', kvm);
    return running;
  }
  if (running) await endProcess(running);
  if (!logger) await clear(folders);
  await writeConfiguration(folders);
  const pid = await start(folders, logger, 'again', kvm);
  try {
    return await waitUntilItAnswers(pid, readLog(folders), work);
  } catch (error) {
    // No daemon starts in these namespaces. They are kept if guests still run there; else the next try makes new ones.
    if ((await leftoverGuests(folders.run)).length === 0) await clear(folders);
    throw error;
  }
}

const unshare = ['unshare', '--net', '--mount', '--propagation', 'private'];
const readLog = (folders: PrivateFolders): string => join(folders.state, 'daemon.log');

/** Runs start.sh in new namespaces, or in those of a process that lives there. */
function start(folders: PrivateFolders, inside: ProcessId | undefined, part: string, kvm: boolean): Promise<number> {
  const enter = inside ? enterPrivate(inside.pid, '-n', '-m') : [...asRoot(), ...unshare];
  const words = [folders.run, folders.state, folders.cache, kvm ? 'kvm' : 'no', ...(inside ? [part] : [])];
  return startDetached(
    [...enter, '/bin/sh', join(import.meta.dirname, 'hypervisor/start.sh'), ...words],
    readLog(folders),
  );
}

async function waitUntilItAnswers(pid: number, log: string, work: Work): Promise<ProcessId> {
  // The first start asks each QEMU binary what it can do. Later starts read this from the cache.
  const deadline = Date.now() + 60_000;
  while (Date.now() < deadline) {
    const daemon = await privateDaemon();
    if (daemon && (await answers(privateUri(), 30_000, work.signal))) return daemon;
    if (!daemon && !(await exists(`/proc/${pid}`))) break;
    await delay(20, undefined, { signal: work.signal });
  }
  throw new LabError({
    what: 'our private libvirtd does not start',
    where: `${log}:\n${await readLastLines(log, 3)}`,
    next: 'lab doctor',
  });
}

/** Whether a private hypervisor still has its files on the disk. Somebody may have removed the state folder. */
export const hasFiles = ({ state }: PrivateFolders): Promise<boolean> => exists(join(state, 'etc'));

async function writeConfiguration(folders: PrivateFolders): Promise<void> {
  await mkdir(folders.run, { recursive: true, mode: 0o700 });
  if (!(await isOurs(folders.run))) {
    const what = 'the folder for the sockets of a private libvirt was made by somebody else';
    throw new LabError({ what, where: folders.run, next: 'export XDG_STATE_HOME=ANOTHER_FOLDER', exit: EXIT.config });
  }
  await writeAtomic(join(folders.run, 'boot'), await readBootId());
  // First of all, so that it is found when the state folder is lost.
  await writeJson(join(folders.run, 'owner.json'), await describeOwner(''));
  for (const [name, text] of Object.entries(configuration)) await writeAtomic(join(folders.state, 'etc', name), text);
}

/** Ends the private hypervisor and removes its folders. The caller holds the lock. Returns a line if one existed. */
async function stopPrivate(folders: PrivateFolders): Promise<string[]> {
  const daemon = await privateDaemon(folders);
  const existed = daemon !== undefined || (await exists(folders.state));
  await clear(folders);
  // On a read-only disk it stays, for the next hypervisor.
  await rm(folders.state, { recursive: true, force: true }).catch(() => undefined);
  return existed ? [`private hypervisor ${folders.run}`] : [];
}

/** Ends the remaining processes, guests first, and removes the folder of sockets and pid files. */
async function clear(folders: PrivateFolders): Promise<void> {
  const daemons = [await privateDaemon(folders), await readDaemon('virtlogd', folders)];
  // Guests and dnsmasq outlive a daemon that was killed, and a new daemon does not see them.
  for (const guest of await leftoverGuests(folders.run)) await endProcess(guest, 0);
  for (const daemon of daemons) if (daemon) await endProcess(daemon);
  await rm(folders.run, { recursive: true, force: true });
}

/** Notes that a lab lives on the private hypervisor. */
const registerLab = (lab: string): Promise<void> => writeAtomic(join(privateFolders().users, lab), '');

const isRegistered = (lab: string): Promise<boolean> => exists(join(privateFolders().users, lab));

/** Takes the lab off the list. Returns whether another lab that still exists is on the list. */
async function unregisterLab(lab: string, folders: PrivateFolders): Promise<boolean> {
  if (lab !== '') await rm(join(folders.users, lab), { force: true }).catch(() => undefined);
  return (await listUsers(folders)).some((user) => user !== lab);
}

/** The labs on a private hypervisor's list that still exist. */
export async function listUsers({ users, labs }: Pick<PrivateFolders, 'users' | 'labs'>): Promise<string[]> {
  const names = (await readdir(users).catch(() => [])).filter((name) => !name.endsWith(partialSuffix));
  const there = await Promise.all(names.map((name) => exists(join(labs, 'labs', name))));
  return names.filter((_, index) => there[index]);
}

/** Why this user can't start a private libvirtd on this machine; undefined when it can be started. */
export async function findPrivateRefusal(signal: AbortSignal): Promise<Refusal | undefined> {
  const refusal = await findRefusal(signal);
  if (refusal || isRoot()) return refusal;
  const tun = '/dev/net/tun';
  if (await exists(tun, constants.R_OK | constants.W_OK)) return undefined;
  return {
    what: `${userInfo().username} may not open the device through which a VM has its network`,
    where: tun,
    next: `sudo chmod 666 ${tun}   (until the next boot; or: lab up --driver sandbox)`,
  };
}

/** A VM that runs. */
export interface Guest extends ProcessId {
  /** The name of its domain. */
  object: string;
}

/**
 * QEMU processes that a private libvirtd started, from its pid files (run/qemu/NAME.pid). A pid file counts only when
 * its process is a QEMU that was started for one of our guests.
 */
export async function leftoverGuests(run: string): Promise<Guest[]> {
  const folder = join(run, 'qemu');
  const found: Guest[] = [];
  for (const file of await readdir(folder).catch(() => [])) {
    if (!file.endsWith('.pid')) continue;
    const pid = Number(await readFile(join(folder, file), 'utf8').catch(() => ''));
    if (!Number.isInteger(pid) || pid < 2) continue;
    const argv = await readWords(pid, 'cmdline');
    const start = await readStartTime(pid);
    const program = await readlink(`/proc/${pid}/exe`).catch(() => '');
    const object = file.slice(0, -'.pid'.length);
    const ours = argv.some((word) => word.startsWith(`guest=${object},`));
    if (start !== undefined && ours && program.includes('qemu-system')) found.push({ pid, start, object });
  }
  return found;
}

/** The last lines of a text file, without control characters, for an error's `where`; empty when there is no file. */
export async function readLastLines(file: string, count: number): Promise<string> {
  const text = await readFile(file, 'utf8').catch(() => '');
  const lines = text
    .slice(-64_000)
    .split(/\r?\n/)
    .filter((line) => line.trim() !== '');
  return (
    lines
      .slice(-count)
      // biome-ignore lint: control characters are what is removed
      .map((line) => line.replaceAll(/\u001b\[[0-9;?]*[A-Za-z]|[\u0000-\u001f\u007f-\u009f]/g, '').slice(0, 300))
      .join('\n')
  );
}
