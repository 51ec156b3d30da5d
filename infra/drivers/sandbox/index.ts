import { chmod, copyFile, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connect, type Endpoint, exists, labDir, LabError, type LabSpec, parseScriptError, run } from '@handwired/host';
import type { Driver, DriverStatus, Remains, Work } from '../../driver.ts';
import { ensurePackages } from '../../packages.ts';
import { asRoot, isRoot, requireNamespaces } from '../../user-namespace.ts';
import { ensureKeyPair, readPublicKey, renderLabEnv, renderEnv } from '../shared/lab-files.ts';
import { keepVisible, renderOwner } from '../shared/owner.ts';
import {
  findCgroups,
  killMembers,
  type Limits,
  listLeftCgroups,
  makeCgroups,
  memoryUsedMiB,
  removeCgroup,
  type SandboxId,
} from './cgroup.ts';
import {
  endInit,
  endMarked,
  findInits,
  findInitsOfOthers,
  type InitProcess,
  isRunning,
  readMark,
  readInit,
} from './init-process.ts';

const here = import.meta.dirname;

/** The numbered scripts and files that make a lab host; the same for every driver. */
const cloudInit = join(here, '../../../cloud-init');

const launchScript = join(here, 'launch.sh');
const enterScript = join(here, 'enter.sh');
const seatScript = join(here, 'seat.sh');

/** A sandbox's files on the machine's disk: its keys and the id of its init process. The rest is in memory. */
export interface SandboxFiles {
  folder: string;
  /** `PID START BOOT_ID`. The init process itself writes it before it makes anything. */
  init: string;
  /** A copy of `init`, made after the start scripts have ended and the lab host has answered over ssh. */
  ready: string;
  env: string;
  privateKey: string;
  authorizedKeys: string;
  hostKey: string;
  /** Mount points, used in the sandbox's own mount namespace only. */
  mountPoints: string[];
}

/** Paths of one lab's sandbox. */
export function listFiles(lab: string): SandboxFiles {
  const folder = join(labDir(lab), 'sandbox');
  return {
    folder,
    init: join(folder, 'init'),
    ready: join(folder, 'ready'),
    env: join(folder, 'lab.env'),
    privateKey: join(folder, 'id_ed25519'),
    authorizedKeys: join(folder, 'authorized_keys'),
    hostKey: join(folder, 'ssh_host_ed25519_key'),
    mountPoints: [join(folder, 'root'), join(folder, 'layers')],
  };
}

/** One process for each MiB, at least 256, so that a fork bomb reaches this limit before it uses up the memory. */
const listLimits = ({ memoryMiB }: LabSpec): Limits => ({ memoryMiB, processes: Math.max(256, memoryMiB) });

/**
 * A lab host of Linux namespaces on this machine: it needs no virtualization and is up within a second. It shares the
 * machine's kernel, so it is no security boundary. What root made, root in it can harm the machine with; what a plain user
 * made has a user namespace, and is that user outside.
 */
export const sandbox: Driver = { name: 'sandbox', requireMachine, up, status, reset, destroy, find };

/** See Driver.requireMachine. Also root may make no namespaces in a container without --privileged. */
async function requireMachine(_: unknown, work: Work): Promise<void> {
  if (!isRoot()) await ensurePackages('sandbox', work);
  await requireNamespaces(work.signal);
}

async function up(spec: LabSpec, work: Work): Promise<Endpoint> {
  const files = listFiles(spec.name);
  const running = await readyInit(files);
  if (running) return makeEndpoint(spec, files, running, await findCgroups(spec));
  await remove(spec, files);
  return work.progress.stage('sandbox started', () => start(spec, files, work));
}

async function reset(spec: LabSpec, work: Work): Promise<Endpoint> {
  const files = listFiles(spec.name);
  await work.progress.stage('sandbox removed', () => remove(spec, files));
  return work.progress.stage('sandbox started', () => start(spec, files, work));
}

async function destroy(spec: LabSpec): Promise<string[]> {
  const files = listFiles(spec.name);
  const there = await exists(files.folder);
  const removed = await endAll(spec, files);
  if (!there) return removed;
  // On a read-only disk the folder stays. It holds keys only; who removes the lab's folder says so.
  await rm(files.folder, { recursive: true, force: true }).catch(() => undefined);
  return [...removed, `folder ${files.folder}`];
}

async function status(spec: LabSpec): Promise<DriverStatus> {
  const files = listFiles(spec.name);
  const init = await readInit(files.init);
  if (!init) {
    const there = await exists(files.folder);
    return there
      ? { state: 'broken', detail: 'half made', nothingLeft: true }
      : { state: 'absent', detail: 'no sandbox' };
  }
  if (!(await isRunning(init)))
    return { state: 'broken', detail: `init process ${init.pid} is gone`, nothingLeft: true };
  if (!(await readyInit(files))) return { state: 'broken', detail: `init process ${init.pid} has not become ready` };
  const memoryMiB = await memoryUsedMiB(spec);
  const cost = memoryMiB === undefined ? { diskMiB: 0 } : { memoryMiB, diskMiB: 0 };
  return { state: 'up', detail: `init process ${init.pid}`, ...cost };
}

/** The init process of a lab host that has become ready; undefined when it no longer runs. */
async function readyInit(files: SandboxFiles): Promise<InitProcess | undefined> {
  const [init, ready] = await Promise.all([readInit(files.init), readInit(files.ready)]);
  if (!init || init.pid !== ready?.pid || init.start !== ready.start || init.boot !== ready.boot) return undefined;
  return (await isRunning(init)) ? init : undefined;
}

/** Makes a lab host of which nothing runs yet. After an error, nothing is left running. */
async function start(spec: LabSpec, files: SandboxFiles, work: Work): Promise<Endpoint> {
  await prepare(spec, files, work.signal);
  const cgroups = await makeCgroups(spec, listLimits(spec));
  if (!isRoot()) work.progress.note("without root, nothing but this machine's own limits bounds a sandbox's memory");
  else if (cgroups.length === 0) work.progress.note('this machine gives no cgroups: the sandbox runs without limits');
  try {
    const init = await launch(spec, files, cgroups, work.signal);
    const endpoint = await makeEndpoint(spec, files, init, cgroups);
    (await connect(endpoint, { signal: work.signal })).close();
    await copyFile(files.init, files.ready);
    return endpoint;
  } catch (error) {
    await remove(spec, files);
    throw error;
  }
}

/** Makes what the sandbox's init reads: keys (existing ones are kept), lab.env, mount points. */
export async function prepare(spec: LabSpec, files: SandboxFiles, signal: AbortSignal): Promise<void> {
  for (const folder of [files.folder, ...files.mountPoints]) await mkdir(folder, { recursive: true, mode: 0o700 });
  await Promise.all([
    ensureKeyPair(files.privateKey, spec.name, signal),
    ensureKeyPair(files.hostKey, spec.name, signal),
    writeFile(files.env, renderEnv(renderLabEnv(spec)), { mode: 0o600 }),
  ]);
  await copyFile(`${files.privateKey}.pub`, files.authorizedKeys);
  await chmod(files.authorizedKeys, 0o600);
}

/** Starts the init and waits for the start scripts, which hold the launcher's output open until they end. */
async function launch(
  spec: LabSpec,
  files: SandboxFiles,
  cgroups: string[],
  signal: AbortSignal,
): Promise<InitProcess> {
  const filesMiB = Math.ceil(spec.memoryMiB / 2);
  const place = [
    readMark(spec.instance),
    files.folder,
    cloudInit,
    spec.name,
    String(filesMiB),
    String(listLimits(spec).processes),
  ];
  const argv = [...asRoot(), '/bin/sh', launchScript, ...place, ...cgroups];
  const env = await renderOwner(spec.name);
  const { stdout, stderr } = await run(argv, { signal, env, next: 'make setup' });
  const init = await readInit(files.init);
  if (init && stdout.endsWith('ready\n')) return init;
  const { what, next } = parseScriptError(stderr);
  const lastLines = stderr.trim().split('\n').slice(-3).join('; ');
  const reason = (next === undefined ? lastLines : what) || 'it ended without a word';
  throw new LabError({ what: `the sandbox did not start: ${reason}`, where: files.folder, next: next ?? 'make setup' });
}

async function makeEndpoint(
  spec: LabSpec,
  files: SandboxFiles,
  { pid, start: started, boot }: InitProcess,
  cgroups: string[],
): Promise<Endpoint> {
  return {
    lab: spec.name,
    driver: 'sandbox',
    dial: { command: ['/bin/sh', enterScript, String(pid), started, boot, readMark(spec.instance), ...cgroups] },
    user: 'root',
    privateKeyFile: files.privateKey,
    // The running sshd has the key that was there at its start. If its file is gone, no other key may be taken for it.
    hostKey: (await readPublicKey(files.hostKey)) ?? '',
    seat: { argv: ['/bin/sh', seatScript, String(pid), started, boot], viewPid: pid },
  };
}

/** Ends the sandbox, and forgets that it was there. Keys and folders stay. */
async function remove(spec: LabSpec, files: SandboxFiles): Promise<void> {
  await endAll(spec, files);
  await Promise.all([rm(files.ready, { force: true }), rm(files.init, { force: true })]);
}

/** Ends every process of the sandbox, however it was started, and removes its cgroups. Returns a line for each. */
async function endAll(id: SandboxId, { init }: Pick<SandboxFiles, 'init'>): Promise<string[]> {
  const known = await readInit(init);
  const ended = new Set(known && (await isRunning(known)) ? [known.pid] : []);
  for (const cgroup of await findCgroups(id)) await killMembers(cgroup);
  for (const pid of await endMarked(readMark(id.instance))) ended.add(pid);
  if (known) await endInit(known);
  const removed = [...ended].map(describeProcess);
  for (const cgroup of await findCgroups(id)) {
    await removeCgroup(cgroup);
    removed.push(`cgroup ${cgroup}`);
  }
  return removed;
}

const describeProcess = (pid: number): string => `process ${pid} with its namespaces`;

/** See Driver.find. Sandboxes show in the process table, by their init or launcher, and among the cgroups. */
async function find(): Promise<Remains[]> {
  const inits = await findInits();
  const running = await keepVisible(inits);
  const others = (await listLeftCgroups()).filter((id) => !inits.some(({ instance }) => instance === id.instance));
  const all = [
    ...running.map((each) => ({ ...each, user: undefined })),
    ...others.map((id) => ({ ...id, owner: undefined, user: undefined, pids: [] })),
    // Root may read the marks of all.
    ...(process.getuid?.() === 0 ? [] : await findInitsOfOthers()).map((each) => ({ ...each, owner: undefined })),
  ];
  return all.map(({ name, instance, owner, user, pids }) => ({
    driver: 'sandbox' as const,
    lab: name,
    instance,
    state: owner?.state,
    ...(user !== undefined && { user }),
    isBound: false,
    list: async () => {
      const cgroups = await findCgroups({ name, instance });
      return [...pids.map(describeProcess), ...cgroups.map((path) => `cgroup ${path}`)];
    },
    remove: async () => {
      const removed = await endAll({ name, instance }, { init: '' });
      return [...new Set([...pids.map(describeProcess), ...removed])];
    },
  }));
}
