import { access, constants, readFile, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { cacheDir, exists, LabError, readMessage, readFreeMemoryMiB, run, silent } from '@handwired/host';
import { chooseDriver, refuseTap } from './choice.ts';
import { probeAcceleration } from './drivers/vm/acceleration.ts';
import { findPrivateRefusal } from './drivers/vm/hypervisor.ts';
import { images } from './image/index.ts';
import { describeOrphan, findOrphans } from './orphans.ts';
import { installCommand, missingFor, type PackageTarget } from './packages.ts';
import { missingTools } from './toolchain/index.ts';
import { findRefusal, isRoot } from './user-namespace.ts';

/** One thing that this machine has or lacks. `warn`: works, but slower or with less. */
export interface Finding {
  subject: string;
  state: 'ok' | 'warn' | 'missing';
  detail: string;
  /** The command that repairs it. */
  mend?: string;
}

/** In MiB: the memory for a VM with its page cache, and the disk space for toolchain, image and build together. */
const wantedMemory = 1536;
const wantedDisk = 4096;

/** Examines this machine without changing it. All looks run at once; the findings are in the order of need. */
export async function diagnose(signal: AbortSignal): Promise<Finding[]> {
  const looks: [string, () => Promise<Omit<Finding, 'subject'>>][] = [
    ['node', node],
    ['packages of the workspace', workspace],
    ['rights', () => rights(signal)],
    ['tap devices', tap],
    ['system packages for sandboxes', () => packages('sandbox')],
    ['system packages for chapter docker', docker],
    ['system packages for VMs', () => packages('vm')],
    ['system packages for images', () => packages('build')],
    ['toolchain', toolchain],
    ['image', image],
    ['acceleration', () => acceleration(signal)],
    ["the system's libvirt", () => libvirt(signal)],
    ['lost labs', () => lostLabs(signal)],
    ['memory', memory],
    ['disk', disk],
    ['lab up takes', () => choice(signal)],
  ];
  return Promise.all(looks.map(([subject, look]) => finding(subject, look)));
}

/** Examines one subject. A look that fails is a finding too, so that `lab doctor` always reports on everything. */
async function finding(subject: string, look: () => Promise<Omit<Finding, 'subject'>>): Promise<Finding> {
  try {
    return { subject, ...(await look()) };
  } catch (error) {
    const mend = error instanceof LabError ? { mend: error.next } : {};
    return { subject, state: 'warn', detail: readMessage(error), ...mend };
  }
}

async function node(): Promise<Omit<Finding, 'subject'>> {
  const own = join(import.meta.dirname, '../node_modules');
  if (process.execPath.startsWith(own)) return { state: 'ok', detail: `${process.version}, the workspace's own` };
  await access(own);
  return { state: 'ok', detail: `${process.version} at ${process.execPath}` };
}

async function workspace(): Promise<Omit<Finding, 'subject'>> {
  const engine = join(import.meta.dirname, 'node_modules/@pulumi/pulumi/package.json');
  const { version } = JSON.parse(await readFile(engine, 'utf8').catch(() => '{}')) as { version?: string };
  if (version === undefined) return { state: 'missing', detail: 'not installed, or half', mend: 'make deps' };
  return { state: 'ok', detail: `installed (Automation API ${version})` };
}

/** A plain user needs namespaces in place of root's rights, and for VMs a device. */
async function rights(signal: AbortSignal): Promise<Omit<Finding, 'subject'>> {
  const refusal = await findRefusal(signal);
  if (refusal) return { state: 'missing', detail: refusal.what, mend: refusal.next };
  if (isRoot()) return { state: 'ok', detail: 'root' };
  const detail = 'not root, but root in user namespaces: sandboxes have no memory limit';
  const noVm = await findPrivateRefusal(signal);
  return noVm ? { state: 'warn', detail: `${detail}; ${noVm.what}`, mend: noVm.next } : { state: 'ok', detail };
}

async function tap(): Promise<Omit<Finding, 'subject'>> {
  const refusal = await refuseTap();
  if (refusal === undefined) return { state: 'ok', detail: '/dev/net/tun opens' };
  const mend = 'modprobe tun; mkdir -p /dev/net; mknod -m 666 /dev/net/tun c 10 200';
  return { state: 'warn', detail: `VMs need them: ${refusal}`, mend };
}

async function packages(target: PackageTarget): Promise<Omit<Finding, 'subject'>> {
  const missing = await missingFor(target);
  if (missing.length === 0) return { state: 'ok', detail: 'all there' };
  return { state: 'missing', detail: missing.map(({ name }) => name).join(' '), mend: installCommand(missing) };
}

/** Only a warning when packages are missing: everything but chapter docker works without them. */
async function docker(): Promise<Omit<Finding, 'subject'>> {
  const missing = await missingFor('docker');
  if (missing.length === 0) return { state: 'ok', detail: 'all there' };
  const names = missing.map(({ name }) => name).join(' ');
  return { state: 'warn', detail: `not on sandboxes of this machine: ${names}`, mend: 'lab setup docker' };
}

async function toolchain(): Promise<Omit<Finding, 'subject'>> {
  const missing = await missingTools();
  if (missing.length === 0) return { state: 'ok', detail: 'engine, bridge and provider are there' };
  return { state: 'missing', detail: missing.join(', '), mend: 'lab setup vm' };
}

async function image(): Promise<Omit<Finding, 'subject'>> {
  const cached = await images.list();
  if (cached.length > 0) return { state: 'ok', detail: `${cached.length} cached` };
  return { state: 'missing', detail: 'none is cached', mend: 'lab image build' };
}

async function acceleration(signal: AbortSignal): Promise<Omit<Finding, 'subject'>> {
  const { accelerator, why, untried } = await probeAcceleration({ signal });
  if (accelerator === 'kvm') return { state: 'ok', detail: why };
  if (untried) return { state: 'warn', detail: why, mend: 'lab setup vm' };
  return { state: 'warn', detail: `VMs are emulated, several times slower: ${why}`, mend: 'lab up --driver sandbox' };
}

async function libvirt(signal: AbortSignal): Promise<Omit<Finding, 'subject'>> {
  const argv = ['virsh', '-q', '-c', 'qemu:///system', 'version', '--daemon'];
  const answer = await run(argv, { allowFailure: true, timeoutMs: 3000, signal }).catch(() => undefined);
  signal.throwIfAborted();
  if (answer?.code === 0) return { state: 'ok', detail: 'answers at qemu:///system' };
  return { state: 'ok', detail: 'none answers; labs get a private one of their own' };
}

/** Only a warning: they are in nobody's way, but they use memory. */
async function lostLabs(signal: AbortSignal): Promise<Omit<Finding, 'subject'>> {
  const found = await Promise.all((await findOrphans(signal)).map((each) => describeOrphan(each, signal)));
  const [first] = found;
  if (!first) return { state: 'ok', detail: 'nothing runs whose state folder is gone' };
  const detail = found.map((each) => `${each.name ?? 'no lab'}: ${each.detail}`).join('; ');
  return { state: 'warn', detail, mend: first.next };
}

async function memory(): Promise<Omit<Finding, 'subject'>> {
  const free = await readFreeMemoryMiB();
  if (free >= wantedMemory) return { state: 'ok', detail: `${free} MiB free` };
  return { state: 'warn', detail: `${free} MiB free, a VM wants ${wantedMemory}`, mend: 'lab up --driver sandbox' };
}

async function disk(): Promise<Omit<Finding, 'subject'>> {
  const folder = await nearest(cacheDir());
  const { bavail, bsize } = await statfs(folder);
  const free = Math.floor((bavail * bsize) / 2 ** 20);
  const detail = `${free} MiB free under ${folder}`;
  if (!(await exists(folder, constants.W_OK)))
    return { state: 'missing', detail: `${folder} can't be written`, mend: 'export XDG_CACHE_HOME=FOLDER' };
  if (free >= wantedDisk) return { state: 'ok', detail };
  return { state: 'warn', detail: `${detail}; a first setup wants ${wantedDisk}`, mend: 'lab image prune' };
}

/** What `--driver auto` takes, by the function that `lab up` asks. */
async function choice(signal: AbortSignal): Promise<Omit<Finding, 'subject'>> {
  const refusal = await findRefusal(signal);
  if (refusal) return { state: 'missing', detail: `nothing: ${refusal.what}`, mend: refusal.next };
  const { driver, why } = await chooseDriver('auto', { progress: silent, signal });
  return { state: 'ok', detail: `${driver.name}: ${why}` };
}

/** The folder itself, or the closest one above it that exists. */
async function nearest(folder: string): Promise<string> {
  return (await exists(folder)) ? folder : nearest(dirname(folder));
}
