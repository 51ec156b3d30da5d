import { readFile, rm } from 'node:fs/promises';
import { type LabSpec, messageOf } from '@handwired/host';
import type { Work } from '../../driver.ts';
import { ensureToolchain, missingTools } from '../../toolchain/index.ts';
import { logFiles } from './console.ts';
import { ensureHypervisor, hypervisorsOf, leaveHypervisor } from './hypervisor/index.ts';
import { endLeftoverEngines } from './leftover-engines.ts';
import { withLab } from './lock.ts';
import { filesOf, namesOf } from './names.ts';
import { loadRecord } from './record.ts';
import { inventory, sweep } from './sweep.ts';
import { virshSays } from './virsh.ts';

/** See Driver.destroy. */
export function destroy(spec: LabSpec, work: Work): Promise<string[]> {
  return withLab(spec.name, work, async () => {
    const removed = await removeMade(spec, work);
    return [...removed, ...(await leaveHypervisor(spec.name, work.signal))];
  });
}

/**
 * Removes everything of the lab but its place on the hypervisor: through the engine where it has finished making the
 * lab once, then by name whatever is still there. Without a record, every daemon that could have it is asked.
 * A line for each object.
 */
export async function removeMade(spec: LabSpec, work: Work): Promise<string[]> {
  await endLeftoverEngines(spec.instance);
  const record = await loadRecord(spec.name);
  const removed: string[] = [];
  for (const hypervisor of record ? [record.hypervisor] : await hypervisorsOf(spec, work.signal)) {
    const { uri, kind } = await ensureHypervisor(spec, hypervisor, work);
    const there = await inventory(spec, uri, work.signal);
    // The guest is off while the engine is still being loaded.
    await virshSays(uri, ['destroy', namesOf(spec).object], { signal: work.signal });
    if (record?.stage === 'made' && there.length > 0) await byEngine(spec, work);
    await sweep(spec, uri, work.signal);
    // libvirt keeps the logs of domains that are gone; another machine's stay there.
    for (const log of logFiles(spec.name, namesOf(spec).object, kind))
      await rm(log, { force: true }).catch(() => undefined);
    removed.push(...there);
  }
  await rm(filesOf(spec.name).folder, { recursive: true, force: true });
  return removed;
}

/** What the engine can't remove (its state is lost, an object was removed by hand) is left for the sweep. */
async function byEngine(spec: LabSpec, work: Work): Promise<void> {
  const passphrase = await readFile(filesOf(spec.name).passphrase, 'utf8').catch(() => '');
  // Nobody who takes a lab away waits for the engine to be built again.
  if (passphrase === '' || (await missingTools()).length > 0) return;
  try {
    await work.progress.stage('Engine removes domain, network, volumes and pool', async (note) => {
      const { openEngine } = await import('./engine.ts');
      const engine = await openEngine(spec, await ensureToolchain(work), passphrase);
      await engine.destroy(note, work.signal);
    });
  } catch (error) {
    work.signal.throwIfAborted();
    work.progress.note(`The engine could not remove all of ${spec.name}; the rest goes by name (${messageOf(error)})`);
  }
}
