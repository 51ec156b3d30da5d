import { createHash, randomBytes } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type Dial,
  type Endpoint,
  labDir,
  type LabSpec,
  readJson,
  stateDir,
  writeAtomic,
  writeJson,
} from '@handwired/host';
import { z } from 'zod';
import { ensureKeyPair, readKeyPair } from '../shared/lab-files.ts';
import { type Hypervisor, HypervisorAddress, privateFolders } from './hypervisor.ts';

/** The names of a lab's objects in libvirt. `object` contains the instance id: an object without it is not ours. */
export interface Names {
  /** The name of the domain, the network and the pool. */
  object: string;
  /** The network's bridge, at most 15 bytes (IFNAMSIZ). */
  bridge: string;
  mac: string;
  /** The domain's description. It says whose lab this is. */
  mark: string;
  base: string;
  overlay: string;
  seed: string;
}

/** Makes a lab's names; `baseFormat` is that of the image's disk. */
export function makeNames(spec: Pick<LabSpec, 'name' | 'instance' | 'owner'>, baseFormat = 'qcow2'): Names {
  const hash = createHash('sha256').update(spec.instance).digest('hex');
  return {
    object: `handwired-${spec.name}-${spec.instance}`,
    bridge: `hw-${hash.slice(0, 10)}`,
    // QEMU's prefix. The rest comes from the instance, so that switches take a lab that is made again for a new
    // machine.
    mac: `52:54:00:${hash.slice(10, 12)}:${hash.slice(12, 14)}:${hash.slice(14, 16)}`,
    mark: `handwired lab=${spec.name} owner=${spec.owner} instance=${spec.instance} state=${stateDir()}`,
    base: `base.${baseFormat}`,
    overlay: 'overlay.qcow2',
    seed: 'seed.iso',
  };
}

/** The lab and instance in the name of its objects; undefined for a name that is not ours. */
export function parseObjectName(object: string): { lab: string; instance: string } | undefined {
  const [, lab, instance] = /^handwired-([a-z0-9-]{1,32})-([0-9a-f]{8,32})$/.exec(object) ?? [];
  return lab === undefined || instance === undefined ? undefined : { lab, instance };
}

/** What the mark of a domain says of whose it is; undefined for another domain's description. */
export function parseMark(description: string): { owner: string; state: string | undefined } | undefined {
  const [, owner, state] =
    /^handwired lab=\S+ owner=(\S+) instance=\S+(?: state=(\/.*))?$/.exec(description.trim()) ?? [];
  return owner === undefined ? undefined : { owner, state };
}

/** The driver's own files of a lab, all in its state folder. */
export interface Files {
  folder: string;
  record: string;
  privateKey: string;
  hostKey: string;
  passphrase: string;
  /** Pulumi's file backend, its working folder and its PULUMI_HOME. */
  backend: string;
  workDir: string;
  home: string;
  /** The cloud-init disk when it has to be uploaded. Otherwise it is made in the pool's folder. */
  seed: string;
  /** TMPDIR of the engine and the provider. */
  temporary: string;
  kernel: string;
  initrd: string;
  /** The pool's folder on a private hypervisor. */
  pool: string;
}

/** Paths of a lab's files. */
export function listFiles(name: string): Files {
  const folder = join(labDir(name), 'vm');
  const at = (part: string): string => join(folder, part);
  return {
    folder,
    record: at('vm.json'),
    privateKey: at('id_ed25519'),
    hostKey: at('ssh_host_ed25519_key'),
    passphrase: at('passphrase'),
    backend: at('pulumi/backend'),
    workDir: at('pulumi/work'),
    home: at('pulumi/home'),
    seed: at('seed.iso'),
    temporary: at('pulumi/tmp'),
    kernel: at('boot/kernel'),
    initrd: at('boot/initrd'),
    pool: at('pool'),
  };
}

/** What the driver must know about a lab before it asks libvirt. It is written before anything is made in libvirt. */
export const VmRecord = z.object({
  schemaVersion: z.literal(1),
  hypervisor: HypervisorAddress,
  /** The lab's management network, CIDR. */
  subnet: z.string(),
  /** The hypervisor's end of it. */
  gateway: z.string(),
  /** The lab host's end of it. */
  address: z.string(),
  accelerator: z.enum(['kvm', 'tcg']),
  /** Hash of the image that the lab was made from. */
  image: z.string(),
  baseFormat: z.string(),
  /** `made`: the engine has finished, so everything exists and is in the engine's state. */
  stage: z.enum(['making', 'made']),
});
export type VmRecord = z.infer<typeof VmRecord>;

/** A lab's record; undefined when it is absent or damaged. Then the instance id identifies the lab's objects. */
export const loadRecord = (lab: string): Promise<VmRecord | undefined> =>
  readJson(listFiles(lab).record, VmRecord).catch(() => undefined);

/** Writes a lab's record. */
export const saveRecord = (lab: string, record: VmRecord): Promise<void> => writeJson(listFiles(lab).record, record);

/** A lab's secrets, made before its VM. So the VM makes no key, and we trust no key on first use. */
export interface Keys {
  privateKeyFile: string;
  /** For authorized_keys. */
  publicKey: string;
  /** OpenSSH private key, for the seed. */
  hostPrivateKey: string;
  /** `ssh-ed25519 AAAA...`, for the endpoint. */
  hostPublicKey: string;
  /** Encrypts secrets in the engine's state. */
  passphrase: string;
}

/** Reads the lab's keys and makes the missing ones. */
export async function ensureKeys(lab: string): Promise<Keys> {
  const files = listFiles(lab);
  await mkdir(files.folder, { recursive: true, mode: 0o700 });
  const [publicKey, hostPublicKey, passphrase] = await Promise.all([
    ensureKeyPair(files.privateKey, `handwired ${lab}`),
    ensureKeyPair(files.hostKey, lab),
    ensurePassphrase(files.passphrase),
  ]);
  const hostPrivateKey = await readFile(files.hostKey, 'utf8');
  return { privateKeyFile: files.privateKey, publicKey, hostPrivateKey, hostPublicKey, passphrase };
}

/** Whether both key pairs of a lab are as they were made. Its VM knows no others. */
export async function hasWholeKeys(lab: string): Promise<boolean> {
  const { privateKey, hostKey } = listFiles(lab);
  return !(await Promise.all([privateKey, hostKey].map((file) => readKeyPair(file)))).includes(undefined);
}

async function ensurePassphrase(file: string): Promise<string> {
  const known = await readFile(file, 'utf8').catch(() => '');
  if (known !== '') return known;
  const made = randomBytes(24).toString('base64url');
  await writeAtomic(file, made);
  return made;
}

/** Where the lab host's ssh servers listen, in its management namespace: lab-ssh.socket and lab-seat.socket. */
const sshPort = 22;
export const seatPort = 2022;

/** How to reach the lab host's sshd, and the grader's seat beside it. */
export function makeEndpoint(
  spec: LabSpec,
  hypervisor: Hypervisor,
  { address }: Pick<VmRecord, 'address'>,
  keys: Keys,
): Endpoint {
  return {
    lab: spec.name,
    driver: 'vm',
    dial: makeDial(hypervisor, address),
    user: 'root',
    privateKeyFile: keys.privateKeyFile,
    hostKey: keys.hostPublicKey,
    // The seat has the lab host's pids. Process 1 has the mounts that a learner sees.
    seat: { dial: makeDial(hypervisor, address, { port: seatPort }), viewPid: 1 },
  };
}

/**
 * How to reach a port of the lab host. On a private hypervisor the network is in another namespace. On another
 * machine's hypervisor (`qemu+ssh://USER@HOST/...`) we use the stdio forwarding of ssh. Else this machine has a route.
 * `seconds` limits the wait for the connection on a private hypervisor.
 */
export function makeDial(
  { kind, uri }: Hypervisor,
  address: string,
  { port = sshPort, seconds = 10 }: { port?: number; seconds?: number } = {},
): Dial {
  if (kind === 'private') {
    const script = join(import.meta.dirname, 'hypervisor/dial.sh');
    return { command: ['/bin/sh', script, privateFolders().run, address, String(port), String(seconds)] };
  }
  const far = /^[a-z]+\+ssh:\/\/(?:([^@/]+)@)?([^/:]+)(?::(\d+))?\//.exec(uri);
  if (!far) return { address, port };
  const [, user, machine = '', sshAt] = far;
  const target = user === undefined ? machine : `${user}@${machine}`;
  const toSshd = sshAt === undefined ? [] : ['-p', sshAt];
  return { command: ['ssh', '-o', 'BatchMode=yes', ...toSshd, '-W', `${address}:${port}`, target] };
}

/**
 * The file to which virtlogd writes the guest's serial console, at most 2 MiB of it. When libvirtd runs on another
 * machine, the file is there and can't be read from here.
 */
export function consoleFile(lab: string, object: string, kind: Hypervisor['kind']): string {
  return kind === 'private'
    ? join(listFiles(lab).folder, 'console.log')
    : `/var/log/libvirt/qemu/${object}-console.log`;
}

/** The console and QEMU's log. A private libvirt writes the log to our folder, mounted over /var/log/libvirt. */
export function logFiles(lab: string, object: string, kind: Hypervisor['kind']): string[] {
  const folder = kind === 'private' ? join(privateFolders().state, 'log') : '/var/log/libvirt';
  return [consoleFile(lab, object, kind), join(folder, 'qemu', `${object}.log`)];
}

/** An environment variable of every engine process and its plugins. Its value is the lab's instance id. */
export const engineMark = 'HANDWIRED_ENGINE';

/** Serial number of the disk that the grader's seat runs from, as the lab host reads it in /sys/block. */
export const seatSerial = 'handwired-seat';
