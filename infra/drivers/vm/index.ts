import { mkdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Endpoint, EXIT, LabError, type LabSpec, readMessage } from '@handwired/host';
import type { Driver, DriverStatus, Work } from '../../driver.ts';
import { hasImage } from '../../image/index.ts';
import { ensurePackages, requirePackages } from '../../packages.ts';
import { ensureToolchain, missingTools } from '../../toolchain/index.ts';
import { isRoot, requireNamespaces } from '../../user-namespace.ts';
import {
  chooseHypervisor,
  ensureHypervisor,
  findPrivateRefusal,
  type Hypervisor,
  listHypervisors,
  leaveHypervisor,
  openForRemoval,
  runningHypervisor,
} from './hypervisor.ts';
import { describeObjects, listObjects, listVolumes, type Objects, removeObjects } from './objects.ts';
import { waitUntilReady } from './readiness.ts';
import { endLeftoverEngines, find } from './remains.ts';
import {
  makeEndpoint,
  ensureKeys,
  hasWholeKeys,
  listFiles,
  loadRecord,
  logFiles,
  makeNames,
  type VmRecord,
} from './record.ts';
import { askVirsh, virsh } from './virsh.ts';

/** A libvirt domain, made through the Pulumi engine. */
export const vm: Driver = { name: 'vm', requireMachine, up, status, reset, destroy, find };

/** See Driver.requireMachine. Nothing is compiled or downloaded before all that only an administrator can give is there. */
async function requireMachine({ uri }: Pick<LabSpec, 'uri'>, { signal }: Work): Promise<void> {
  const builds = !(await hasImage(signal));
  if (!isRoot()) await requirePackages(builds ? ['vm', 'build'] : ['vm']);
  const { kind } = await chooseHypervisor(uri, signal);
  const refusal = kind === 'private' ? await findPrivateRefusal(signal) : undefined;
  if (refusal) throw new LabError({ ...refusal, exit: EXIT.config });
  if (builds) await requireNamespaces(signal);
}

/** See Driver.up. Starts a complete lab that is off. Removes an incomplete lab and makes it again. */
async function up(spec: LabSpec, work: Work): Promise<Endpoint> {
  await ensurePackages('vm', work);
  const record = await loadRecord(spec.name);
  const endpoint = record?.stage === 'made' ? await resume(spec, record, work) : undefined;
  if (endpoint) return endpoint;
  await mkdir(listFiles(spec.name).folder, { recursive: true, mode: 0o700 });
  if (record) await work.progress.stage('Remove what was left half made', () => removeMade(spec, work));
  return makeFromNothing(spec, work);
}

/** Starts the existing lab and waits until it is ready; undefined when a part of it is missing. */
async function resume(spec: LabSpec, record: VmRecord, work: Work): Promise<Endpoint | undefined> {
  const hypervisor = await ensureHypervisor(spec, record.hypervisor, work);
  const { object } = makeNames(spec);
  const found = await listObjects(hypervisor.uri, object, work.signal);
  if (found.domain === '' || found.network === '' || found.pool === '') return undefined;
  if (!(await hasWholeKeys(spec.name)))
    throw new LabError({
      what: `the keys of lab ${spec.name} are damaged`,
      where: listFiles(spec.name).folder,
      next: `lab reset ${spec.name}`,
      code: 'broken',
    });
  const endpoint = makeEndpoint(spec, hypervisor, record, await ensureKeys(spec.name));
  if (found.domain !== 'running') await powerOn(spec, hypervisor, work);
  await waitUntilReady({ spec, hypervisor, endpoint, address: record.address, signal: work.signal }, work);
  return endpoint;
}

/** Starts the parts that are off. After a reboot of this machine, the network and the pool are off too. */
async function powerOn(spec: LabSpec, { uri }: Hypervisor, work: Work): Promise<void> {
  const { object } = makeNames(spec);
  const { signal } = work;
  const found = await listObjects(uri, object, signal);
  if (found.network === 'inactive') await virsh(uri, ['net-start', object], { signal });
  if (found.pool === 'inactive') await virsh(uri, ['pool-start', object], { signal });
  if (found.domain === 'paused') await virsh(uri, ['resume', object], { signal });
  else if (found.domain === 'shut off' || found.domain === 'crashed')
    await virsh(uri, ['start', object], { signal, timeoutMs: 60_000 });
  else if (found.domain !== 'running')
    throw new LabError({
      what: `domain ${object} is ${found.domain}`,
      where: uri,
      next: `lab destroy ${spec.name}, then lab up ${spec.name}`,
    });
}

/**
 * See Driver.reset. Puts an empty overlay on the same base and starts the domain again, which takes as long as a boot.
 * A memory snapshot would be faster, but each `lab up` would have to write the guest's memory. Domain, network and seed
 * stay, so the engine's state stays true and the endpoint stays the same. A lab that is incomplete, or whose keys are
 * damaged, is made again.
 */
async function reset(spec: LabSpec, work: Work): Promise<Endpoint> {
  const record = await loadRecord(spec.name);
  if (record?.stage === 'made' && (await hasWholeKeys(spec.name))) {
    const hypervisor = await ensureHypervisor(spec, record.hypervisor, work);
    if (await renewOverlay(spec, record, hypervisor.uri, work)) {
      const endpoint = makeEndpoint(spec, hypervisor, record, await ensureKeys(spec.name));
      await powerOn(spec, hypervisor, work);
      await waitUntilReady({ spec, hypervisor, endpoint, address: record.address, signal: work.signal }, work);
      return endpoint;
    }
  }
  await removeMade(spec, work);
  return makeFromNothing(spec, work);
}

/** Stops the domain and puts an empty overlay on its base. Gives false when a part that this needs is missing. */
async function renewOverlay(spec: LabSpec, record: VmRecord, uri: string, work: Work): Promise<boolean> {
  const { object, base, overlay } = makeNames(spec, record.baseFormat);
  const { signal } = work;
  const found = await listObjects(uri, object, signal);
  if (found.domain === '' || found.network === '' || found.pool === '') return false;
  await askVirsh(uri, ['destroy', object], { signal });
  if (found.pool === 'inactive') await virsh(uri, ['pool-start', object], { signal });
  const volumes = await listVolumes(uri, object, signal);
  if (!volumes.includes(base)) return false;
  // If an earlier reset was killed between the next two calls, there is no overlay, and the base gives its size.
  const model = volumes.includes(overlay) ? overlay : base;
  const info = await askVirsh(uri, ['vol-info', model, '--pool', object, '--bytes'], { signal });
  const capacity = /^Capacity:\s+(\d+)/m.exec(info)?.[1];
  if (capacity === undefined) return false;
  if (model === overlay) await virsh(uri, ['vol-delete', overlay, '--pool', object], { signal });
  const backing = ['--backing-vol', base, '--backing-vol-format', record.baseFormat];
  await virsh(uri, ['vol-create-as', object, overlay, capacity, '--format', 'qcow2', ...backing], { signal });
  return true;
}

/** See Driver.destroy. The private hypervisor is removed with its last lab. */
async function destroy(spec: LabSpec, work: Work): Promise<string[]> {
  const removed = await removeMade(spec, work);
  return [...removed, ...(await leaveHypervisor(spec.name, work.signal))];
}

/**
 * Removes everything of the lab, but leaves it registered with its hypervisor. The engine removes what it has finished
 * making. What is left is removed by name. Without a record, it looks at every daemon that may have the lab. Returns a
 * line for each object.
 */
async function removeMade(spec: LabSpec, work: Work): Promise<string[]> {
  await endLeftoverEngines(spec.instance);
  const record = await loadRecord(spec.name);
  const removed: string[] = [];
  const { object } = makeNames(spec);
  for (const address of record ? [record.hypervisor] : await listHypervisors(spec, work.signal)) {
    if (!(await openForRemoval(spec, object, address, work))) continue;
    const { uri, kind } = address;
    const there = await describeObjects(object, uri, work.signal);
    // This turns the guest off while the engine is still being loaded.
    await askVirsh(uri, ['destroy', object], { signal: work.signal });
    if (record?.stage === 'made' && there.length > 0) await removeByEngine(spec, work);
    await removeObjects(object, uri, work.signal);
    // libvirt keeps the logs of removed domains. Logs on another machine stay there.
    for (const log of logFiles(spec.name, object, kind)) await rm(log, { force: true }).catch(() => undefined);
    removed.push(...there);
  }
  // On a read-only disk the folder stays; who removes the lab's folder says so.
  await rm(listFiles(spec.name).folder, { recursive: true, force: true }).catch(() => undefined);
  return removed;
}

/**
 * Has the engine remove what it made. When the engine fails (its state is lost, somebody removed an object by hand),
 * this is noted, and `removeObjects` removes the objects later.
 */
async function removeByEngine(spec: LabSpec, work: Work): Promise<void> {
  const passphrase = await readFile(listFiles(spec.name).passphrase, 'utf8').catch(() => '');
  // Without an engine, the objects are removed by name: destroying a lab must not wait until an engine is built.
  if (passphrase === '' || (await missingTools()).length > 0) return;
  try {
    await work.progress.stage('Engine removes domain, network, volumes and pool', async (note) => {
      const { openEngine } = await import('./engine.ts');
      const engine = await openEngine(spec, await ensureToolchain(work), passphrase);
      await engine.destroy(note, work.signal);
    });
  } catch (error) {
    work.signal.throwIfAborted();
    work.progress.note(
      `The engine could not remove all of ${spec.name}; the rest goes by name (${readMessage(error)})`,
    );
  }
}

/** See Driver.status. Asks libvirt and our own files; starts neither an engine nor a daemon. */
async function status(spec: LabSpec, signal: AbortSignal): Promise<DriverStatus> {
  const record = await loadRecord(spec.name);
  if (!record) return { state: 'absent', detail: 'nothing was made yet' };
  const names = makeNames(spec);
  const diskMiB = await sizeMiB(join(listFiles(spec.name).pool, names.overlay));
  const cost = { memoryMiB: spec.memoryMiB, ...(diskMiB !== undefined && { diskMiB }) };
  try {
    const hypervisor = await runningHypervisor(record.hypervisor, signal);
    if (!hypervisor) {
      const where = record.hypervisor.kind === 'private' ? 'its private hypervisor' : record.hypervisor.uri;
      return { state: record.stage === 'made' ? 'stopped' : 'broken', detail: `${where} does not run`, ...cost };
    }
    const found = await listObjects(hypervisor.uri, names.object, signal, 2000);
    return { ...judgeObjects(found, names.object, record.stage), ...cost };
  } catch (error) {
    signal.throwIfAborted();
    return { state: 'broken', detail: readMessage(error), ...cost };
  }
}

/** A lab's state, with a line about it, from its three objects and from the stage in its record. */
export function judgeObjects(
  found: Objects,
  object: string,
  stage: 'making' | 'made',
): Pick<DriverStatus, 'state' | 'detail'> {
  if (found.domain === '' && found.network === '' && found.pool === '')
    return { state: stage === 'made' ? 'broken' : 'absent', detail: `no libvirt object is named ${object}` };
  const missing = (['domain', 'network', 'pool'] as const).filter((kind) => found[kind] === '');
  if (missing.length > 0) return { state: 'broken', detail: `${object} has no ${missing.join(' and no ')}` };
  if (stage === 'making') return { state: 'broken', detail: `domain ${object} was not finished` };
  if (found.domain === 'running') return { state: 'up', detail: `domain ${object}` };
  return { state: 'stopped', detail: `domain ${object} is ${found.domain}` };
}

/** The disk space that a file takes (not its length), in MiB; undefined when there is no file. */
async function sizeMiB(file: string): Promise<number | undefined> {
  const found = await stat(file).catch(() => undefined);
  return found && Math.ceil((found.blocks * 512) / 1048576);
}

/** Loads and calls `makeLab`. Image, toolchain and the engine's library take most of a second to load. */
async function makeFromNothing(spec: LabSpec, work: Work): Promise<Endpoint> {
  const { makeLab } = await import('./make.ts');
  return makeLab(spec, work);
}
