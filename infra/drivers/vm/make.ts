import { join } from 'node:path';
import { type Endpoint, type LabSpec, labDir } from '@handwired/host';
import type { Work } from '../../driver.ts';
import { ensureImage, kernelCmdline, type Image, renderSeed, type Seed, writeSeedDisk } from '../../image/index.ts';
import { ensureToolchain } from '../../toolchain/index.ts';
import { probeAcceleration } from './acceleration.ts';
import { consoleFile } from './console.ts';
import { endpointOf } from './endpoint.ts';
import { ensureHypervisor, type Hypervisor } from './hypervisor/index.ts';
import { ensureKeys, type Keys } from './keys.ts';
import { filesOf, namesOf } from './names.ts';
import { placeImage, requireRoom } from './place.ts';
import type { Blueprint } from './program.ts';
import { saveRecord, type VmRecord } from './record.ts';
import { chooseSubnet, type Subnet } from './subnet.ts';
import { waitUntilReady } from './wait.ts';

interface Parts {
  hypervisor: Hypervisor;
  image: Image;
  keys: Keys;
  at: Subnet;
  record: VmRecord;
}

/**
 * Makes the lab through the engine. Hypervisor, engine, keys and image are got ready side by side; readiness is
 * polled while the engine still finishes.
 */
export async function make(spec: LabSpec, work: Work): Promise<Endpoint> {
  await requireRoom(spec, labDir(spec.name));
  const image = await ensureImage(work);
  const toolchain = await ensureToolchain(work);
  const keys = await ensureKeys(spec.name);
  const libraries = Promise.all([import('./engine.ts'), import('./program.ts')]);
  // Aborted when one of the two fails, so that the other does not go on alone.
  const stop = new AbortController();
  const signal = AbortSignal.any([work.signal, stop.signal]);
  const both = { ...work, signal };
  const parts = prepare(spec, image, keys, both);
  parts.catch(() => stop.abort());
  const engine = work.progress.stage('Engine makes pool, volumes, network and domain', async (note) => {
    const [{ openEngine }, { declare }] = await libraries;
    const opened = await openEngine(spec, toolchain, keys.passphrase);
    const plan = blueprint(spec, await parts);
    await opened.up(() => Promise.resolve({ ...declare(plan) }), note, signal);
    await saveRecord(spec.name, { ...(await parts).record, stage: 'made' });
  });
  const ready = parts.then(async ({ hypervisor, at, record }) => {
    const endpoint = endpointOf(spec, hypervisor, record, keys);
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

async function prepare(spec: LabSpec, image: Image, keys: Keys, work: Work): Promise<Parts> {
  const names = namesOf(spec, image.format);
  const hypervisor = await ensureHypervisor(spec, undefined, work);
  const { accelerator, why } = await probeAcceleration(work);
  if (accelerator === 'tcg') work.progress.note(`The VM is emulated (TCG), which is slow: ${why}.`);
  const recordOf = (at: Subnet): VmRecord => ({
    schemaVersion: 1,
    hypervisor: { kind: hypervisor.kind, uri: hypervisor.uri },
    ...{ subnet: at.subnet, gateway: at.gateway, address: at.address },
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
    seedOf(spec, keys, at),
    local ? join(filesOf(spec.name).pool, names.seed) : filesOf(spec.name).seed,
    work.signal,
  );
  return { hypervisor, image, keys, at, record: recordOf(at) };
}

function blueprint(spec: LabSpec, { hypervisor, image, at, record }: Parts): Blueprint {
  const names = namesOf(spec, image.format);
  const files = filesOf(spec.name);
  const local = hypervisor.kind === 'private';
  const kvm = record.accelerator === 'kvm';
  return {
    uri: hypervisor.uri,
    object: names.object,
    mark: names.mark,
    // A system's QEMU has a user of its own, which can't look into a home folder.
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
      arch: process.arch === 'arm64' ? 'aarch64' : 'x86_64',
      consoleFile: consoleFile(spec.name, names.object, hypervisor.kind),
    },
  };
}

function seedOf(spec: LabSpec, keys: Keys, at: Subnet): Seed {
  const { conditions } = spec;
  return renderSeed({
    name: spec.name,
    instance: spec.instance,
    hostKeyPair: { privateKey: keys.hostPrivateKey, publicKey: keys.hostPublicKey },
    authorizedKey: keys.publicKey,
    env: {
      LAB_NAME: spec.name,
      LAB_DRIVER: spec.driver,
      FORWARD_POLICY: conditions['forward-policy'],
      BRIDGE_NF: conditions['bridge-nf'],
      RESOLVER: conditions.resolver,
      IP_FORWARD: conditions['ip-forward'],
    },
    mgmt: { address: at.address, prefix: at.prefix, mac: namesOf(spec).mac },
  });
}
