import type { Endpoint, LabSpec } from '@handwired/host';
import type { Work } from '../../driver.ts';
import { removeMade } from './destroy.ts';
import { endpointOf } from './endpoint.ts';
import { ensureHypervisor } from './hypervisor/index.ts';
import { ensureKeys } from './keys.ts';
import { withLab } from './lock.ts';
import { look, volumesOf } from './look.ts';
import { make } from './make.ts';
import { namesOf } from './names.ts';
import { loadRecord, type VmRecord } from './record.ts';
import { powerOn } from './up.ts';
import { virsh, virshSays } from './virsh.ts';
import { waitUntilReady } from './wait.ts';

/**
 * See Driver.reset. The overlay is made anew on the same base and the domain is started again: as long as a boot, and
 * nothing is added to `lab up`, which a memory snapshot would (it writes the guest's memory). Domain, network and
 * seed stay, so the engine's state stays true and the endpoint the same. A lab that is not whole is made from nothing.
 */
export function reset(spec: LabSpec, work: Work): Promise<Endpoint> {
  return withLab(spec.name, work, async () => {
    const record = await loadRecord(spec.name);
    if (record?.stage === 'made') {
      const hypervisor = await ensureHypervisor(spec, record.hypervisor, work);
      if (await renewOverlay(spec, record, hypervisor.uri, work)) {
        const endpoint = endpointOf(spec, hypervisor, record, await ensureKeys(spec.name));
        await powerOn(spec, hypervisor, work);
        await waitUntilReady({ spec, hypervisor, endpoint, address: record.address, signal: work.signal }, work);
        return endpoint;
      }
    }
    await removeMade(spec, work);
    return make(spec, work);
  });
}

async function renewOverlay(spec: LabSpec, record: VmRecord, uri: string, work: Work): Promise<boolean> {
  const { object, base, overlay } = namesOf(spec, record.baseFormat);
  const { signal } = work;
  const found = await look(uri, object, signal);
  if (found.domain === '' || found.network === '' || found.pool === '') return false;
  await virshSays(uri, ['destroy', object], { signal });
  if (found.pool === 'inactive') await virsh(uri, ['pool-start', object], { signal });
  const volumes = await volumesOf(uri, object, signal);
  if (!volumes.includes(base)) return false;
  // A reset that was killed between the next two calls finds no overlay: then the base says how large it must be.
  const model = volumes.includes(overlay) ? overlay : base;
  const info = await virshSays(uri, ['vol-info', model, '--pool', object, '--bytes'], { signal });
  const capacity = /^Capacity:\s+(\d+)/m.exec(info)?.[1];
  if (capacity === undefined) return false;
  if (model === overlay) await virsh(uri, ['vol-delete', overlay, '--pool', object], { signal });
  const backing = ['--backing-vol', base, '--backing-vol-format', record.baseFormat];
  await virsh(uri, ['vol-create-as', object, overlay, capacity, '--format', 'qcow2', ...backing], { signal });
  return true;
}
