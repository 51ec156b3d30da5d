import { constants, copyFile, link, mkdir, rm, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Endpoint, LabError, type LabSpec, labDir, readFreeMemoryMiB } from '@handwired/host';
import type { Work } from '../../driver.ts';
import { ensureImage, kernelCmdline, type Image } from '../../image/index.ts';
import { renderSeed, type Seed, writeSeedDisk } from '../../image/seed.ts';
import { ensureToolchain } from '../../toolchain/index.ts';
import { renderLabEnv } from '../shared/lab-files.ts';
import { probeAcceleration } from './acceleration.ts';
import { ensureHypervisor, findHypervisor, type Hypervisor, type HypervisorAddress } from './hypervisor.ts';
import type { Blueprint } from './program.ts';
import { waitUntilReady } from './readiness.ts';
import {
  consoleFile,
  makeEndpoint,
  ensureKeys,
  listFiles,
  type Keys,
  type Names,
  makeNames,
  saveRecord,
  type VmRecord,
} from './record.ts';
import { chooseSubnet, type Subnet } from './subnet.ts';

/** What the engine's program and the endpoint are made from. */
interface Parts {
  hypervisor: Hypervisor;
  image: Image;
  keys: Keys;
  at: Subnet;
  record: VmRecord;
}

/**
 * Makes the lab through the engine, and returns when its lab host is ready. It loads the engine while the hypervisor
 * starts, and probes readiness while the engine still works. Throws as `Driver.up` does.
 */
export async function makeLab(spec: LabSpec, work: Work): Promise<Endpoint> {
  await requireRoom(spec, labDir(spec.name));
  // What refuses the lab is said before anything is built for minutes.
  const address = await findHypervisor(spec, undefined, work.signal);
  const image = await ensureImage(work);
  const toolchain = await ensureToolchain(work);
  const keys = await ensureKeys(spec.name);
  const libraries = Promise.all([import('./engine.ts'), import('./program.ts')]);
  // Aborted when one of the two fails, so that the other one stops too.
  const stop = new AbortController();
  const signal = AbortSignal.any([work.signal, stop.signal]);
  const both = { ...work, signal };
  const parts = prepare(spec, { image, keys, address }, both);
  parts.catch(() => stop.abort());
  const engine = work.progress.stage('Engine makes pool, volumes, network and domain', async (note) => {
    const [{ openEngine }, { declare }] = await libraries;
    const opened = await openEngine(spec, toolchain, keys.passphrase);
    const plan = blueprint(spec, await parts);
    await opened.up(() => Promise.resolve({ ...declare(plan) }), note, signal);
    await saveRecord(spec.name, { ...(await parts).record, stage: 'made' });
  });
  const ready = parts.then(async ({ hypervisor, at, record }) => {
    const endpoint = makeEndpoint(spec, hypervisor, record, keys);
    await waitUntilReady({ spec, hypervisor, endpoint, address: at.address, signal }, both);
    return endpoint;
  });
  try {
    const [endpoint] = await Promise.all([ready, engine]);
    return endpoint;
  } catch (error) {
    stop.abort(error);
    await Promise.allSettled([parts, engine, ready]);
    work.signal.throwIfAborted();
    throw error;
  }
}

/** Makes everything that must exist before the engine makes anything. Also writes the record. */
async function prepare(
  spec: LabSpec,
  { image, keys, address }: Pick<Parts, 'image' | 'keys'> & { address: HypervisorAddress },
  work: Work,
): Promise<Parts> {
  const names = makeNames(spec, image.format);
  const hypervisor = await ensureHypervisor(spec, address, work);
  const { accelerator, why } = await probeAcceleration(work);
  if (accelerator === 'tcg') work.progress.note(`The VM is emulated (TCG), which is slow: ${why}.`);
  const recordOf = (at: Subnet): VmRecord => ({
    schemaVersion: 1,
    hypervisor: { kind: hypervisor.kind, uri: hypervisor.uri },
    subnet: at.subnet,
    gateway: at.gateway,
    address: at.address,
    accelerator,
    image: image.hash,
    baseFormat: image.format,
    stage: 'making',
  });
  const keep = (at: Subnet): Promise<void> => saveRecord(spec.name, recordOf(at));
  const at = await chooseSubnet(spec.instance, hypervisor, keep, work.signal);
  const local = hypervisor.kind === 'private';
  if (local) await placeImage(spec.name, names, image);
  await writeSeedDisk(
    makeSeed(spec, keys),
    local ? join(listFiles(spec.name).pool, names.seed) : listFiles(spec.name).seed,
    work.signal,
  );
  return { hypervisor, image, keys, at, record: recordOf(at) };
}

/** The input of the engine's program. On a private hypervisor the image's files are already in place. */
function blueprint(spec: LabSpec, { hypervisor, image, at, record }: Parts): Blueprint {
  const names = makeNames(spec, image.format);
  const files = listFiles(spec.name);
  const local = hypervisor.kind === 'private';
  const kvm = record.accelerator === 'kvm';
  return {
    uri: hypervisor.uri,
    object: names.object,
    mark: names.mark,
    // The QEMU of the system's libvirt runs as its own user, who can't read a home folder.
    poolPath: local ? files.pool : `/var/lib/libvirt/images/${names.object}`,
    base: { name: names.base, ...(!local && { upload: image.disk }) },
    overlay: { name: names.overlay },
    seed: { name: names.seed, ...(!local && { upload: files.seed }) },
    boot: {
      kernel: local ? files.kernel : image.kernel,
      initrd: local ? files.initrd : image.initrd,
      cmdline: kernelCmdline(image, at),
      upload: !local,
    },
    network: { bridge: names.bridge, mac: names.mac, subnet: at.subnet },
    domain: {
      cpus: spec.cpus,
      memoryMiB: spec.memoryMiB,
      type: kvm ? 'kvm' : 'qemu',
      cpuMode: kvm ? 'host-passthrough' : 'maximum',
      architecture: image.architecture,
      consoleFile: consoleFile(spec.name, names.object, hypervisor.kind),
    },
  };
}

function makeSeed(spec: LabSpec, keys: Keys): Seed {
  return renderSeed({
    name: spec.name,
    instance: spec.instance,
    hostKeyPair: { privateKey: keys.hostPrivateKey, publicKey: keys.hostPublicKey },
    authorizedKey: keys.publicKey,
    env: renderLabEnv(spec),
  });
}

/**
 * Puts the image's files into the lab's folder as hard links. So no lab needs a copy, and an image that is pruned from
 * the cache stays for the labs that run on it. On another file system it makes a copy, with shared blocks where
 * possible.
 */
async function placeImage(lab: string, names: Names, image: Pick<Image, 'disk' | 'kernel' | 'initrd'>): Promise<void> {
  const files = listFiles(lab);
  await Promise.all([
    placeFile(image.disk, join(files.pool, names.base)),
    placeFile(image.kernel, files.kernel),
    placeFile(image.initrd, files.initrd),
  ]);
}

async function placeFile(source: string, target: string): Promise<void> {
  await mkdir(dirname(target), { recursive: true, mode: 0o700 });
  await rm(target, { force: true });
  await link(source, target).catch(() => copyFile(source, target, constants.COPYFILE_FICLONE));
}

/** Free space that an overlay needs. A course writes far less. */
const diskMiB = 1024;

/** Refuses a lab, before anything is made, when this machine has too little memory or disk for it. */
async function requireRoom(spec: LabSpec, folder: string): Promise<void> {
  const freeMiB = await readFreeMemoryMiB();
  if (freeMiB < spec.memoryMiB)
    throw new LabError({
      what: `lab ${spec.name} wants ${spec.memoryMiB} MiB of memory, and ${freeMiB} MiB are free`,
      where: '/proc/meminfo, MemAvailable',
      next: `lab up ${spec.name} --memory ${Math.max(256, Math.floor(freeMiB / 128 - 1) * 128)}, or lab destroy another lab`,
    });
  const { bavail, bsize } = await statfs(folder);
  const room = Math.floor((bavail * bsize) / 1048576);
  if (room < diskMiB)
    throw new LabError({
      what: `lab ${spec.name} wants ${diskMiB} MiB of disk, and ${room} MiB are free`,
      where: folder,
      next: 'lab image prune, or export XDG_STATE_HOME=A_FOLDER_WITH_ROOM',
    });
}
