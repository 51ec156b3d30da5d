import { LabError, type LabSpec } from '@handwired/host';
import { look, volumesOf } from './look.ts';
import { namesOf } from './names.ts';
import { virsh, virshSays } from './virsh.ts';

/** The lab's objects that exist, a line each. */
export async function inventory(spec: LabSpec, uri: string, signal: AbortSignal): Promise<string[]> {
  const { object } = namesOf(spec);
  const found = await look(uri, object, signal);
  const volumes = found.pool === 'active' ? await volumesOf(uri, object, signal) : [];
  return [
    ...(found.domain === '' ? [] : [`domain ${object}`]),
    ...volumes.map((name) => `volume ${name} of ${object}`),
    ...(found.pool === '' ? [] : [`pool ${object}`]),
    ...(found.network === '' ? [] : [`network ${object}`]),
  ];
}

/**
 * Removes by name whatever libvirt has of a lab: for labs that were never finished, or whose state is lost. The names
 * hold the instance id, so nothing else can be meant. Repeats safely.
 */
export async function sweep(spec: LabSpec, uri: string, signal: AbortSignal): Promise<void> {
  const { object } = namesOf(spec);
  const found = await look(uri, object, signal);
  if (found.domain !== '') {
    await virshSays(uri, ['destroy', object], { signal });
    await virsh(uri, ['undefine', object, '--managed-save', '--snapshots-metadata', '--nvram'], { signal });
  }
  if (found.pool !== '') await removePool(uri, object, found.pool, signal);
  if (found.network !== '') {
    if (found.network === 'active') await virsh(uri, ['net-destroy', object], { signal });
    await virsh(uri, ['net-undefine', object], { signal });
  }
  const left = await inventory(spec, uri, signal);
  if (left.length > 0)
    throw new LabError({
      what: `could not remove ${left.join(', ')}`,
      where: uri,
      next: `lab destroy ${spec.name}`,
    });
}

async function removePool(uri: string, object: string, state: string, signal: AbortSignal): Promise<void> {
  // A pool whose folder is gone can't be started; then there is no volume either.
  if (state === 'active' || (await virshSays(uri, ['pool-start', object], { signal })) !== '') {
    await virshSays(uri, ['pool-refresh', object], { signal });
    for (const volume of await volumesOf(uri, object, signal))
      await virsh(uri, ['vol-delete', volume, '--pool', object], { signal });
    await virsh(uri, ['pool-destroy', object], { signal });
    await virshSays(uri, ['pool-delete', object], { signal });
  }
  await virsh(uri, ['pool-undefine', object], { signal });
}
