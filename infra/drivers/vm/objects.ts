import { LabError } from '@handwired/host';
import { parseObjectName } from './record.ts';
import { askVirsh, virsh } from './virsh.ts';

/** The state of a lab's three objects in libvirt, which have one name. */
export interface Objects {
  /** `running`, `shut off`, `paused`, `crashed`, `in shutdown`, ... (virsh domstate); '' when there is no domain. */
  domain: string;
  network: 'active' | 'inactive' | '';
  pool: 'active' | 'inactive' | '';
}

/** Reads the three objects in one virsh call, because each call takes 0.1 s. */
export async function listObjects(
  uri: string,
  object: string,
  signal: AbortSignal,
  timeoutMs = 5000,
): Promise<Objects> {
  return readLists(await listAll(uri, signal, timeoutMs), object);
}

async function listAll(uri: string, signal: AbortSignal, timeoutMs = 5000): Promise<string> {
  const commands = ['list --all', 'net-list --all', 'pool-list --all'].join('; ');
  return (await virsh(uri, [commands], { signal, timeoutMs })).stdout;
}

/** The names of all objects of labs at a hypervisor, each once. */
export async function listObjectNames(uri: string, signal: AbortSignal): Promise<string[]> {
  const words = (await listAll(uri, signal)).split(/\s+/);
  return [...new Set(words.filter((word) => parseObjectName(word) !== undefined))];
}

/** Rows of the three lists. A domain's starts with its number or `-`; a pool's has one column less than a network's. */
export function readLists(text: string, object: string): Objects {
  const found: Objects = { domain: '', network: '', pool: '' };
  for (const line of text.split('\n')) {
    const words = line.trim().split(/\s+/);
    if (words[1] === object && /^(-|\d+)$/.test(words[0] ?? '')) found.domain = words.slice(2).join(' ');
    if (words[0] !== object || (words[1] !== 'active' && words[1] !== 'inactive')) continue;
    found[words.length === 4 ? 'network' : 'pool'] = words[1];
  }
  return found;
}

/** Names of the volumes in the lab's pool; none when the pool is not active. */
export async function listVolumes(uri: string, object: string, signal: AbortSignal): Promise<string[]> {
  const text = await askVirsh(uri, ['vol-list', object], { signal });
  return text
    .split('\n')
    .flatMap((line) => line.trim().split(/\s+/)[0] ?? '')
    .filter((name) => name !== '');
}

/** The lab's existing objects, one line each. */
export async function describeObjects(object: string, uri: string, signal: AbortSignal): Promise<string[]> {
  const found = await listObjects(uri, object, signal);
  const volumes = found.pool === 'active' ? await listVolumes(uri, object, signal) : [];
  return [
    ...(found.domain === '' ? [] : [`domain ${object}`]),
    ...volumes.map((name) => `volume ${name} of ${object}`),
    ...(found.pool === '' ? [] : [`pool ${object}`]),
    ...(found.network === '' ? [] : [`network ${object}`]),
  ];
}

/**
 * Removes by name everything that libvirt has of a lab. For labs that were never finished, or whose state is lost. The
 * names contain the instance id, so nothing else is removed. It is safe to repeat.
 */
export async function removeObjects(object: string, uri: string, signal: AbortSignal): Promise<void> {
  const found = await listObjects(uri, object, signal);
  if (found.domain !== '') {
    await askVirsh(uri, ['destroy', object], { signal });
    await virsh(uri, ['undefine', object, '--managed-save', '--snapshots-metadata', '--nvram'], { signal });
  }
  if (found.pool !== '') await removePool(uri, object, found.pool, signal);
  if (found.network !== '') {
    if (found.network === 'active') await virsh(uri, ['net-destroy', object], { signal });
    await virsh(uri, ['net-undefine', object], { signal });
  }
  const left = await describeObjects(object, uri, signal);
  if (left.length > 0)
    throw new LabError({
      what: `could not remove ${left.join(', ')}`,
      where: uri,
      next: 'lab status',
    });
}

async function removePool(uri: string, object: string, state: string, signal: AbortSignal): Promise<void> {
  // A pool whose folder is missing can't be started. It has no volumes either.
  if (state === 'active' || (await askVirsh(uri, ['pool-start', object], { signal })) !== '') {
    await askVirsh(uri, ['pool-refresh', object], { signal });
    for (const volume of await listVolumes(uri, object, signal))
      await virsh(uri, ['vol-delete', volume, '--pool', object], { signal });
    // Without its folder the pool has stopped by itself when it was refreshed.
    await askVirsh(uri, ['pool-destroy', object], { signal });
    await askVirsh(uri, ['pool-delete', object], { signal });
  }
  await virsh(uri, ['pool-undefine', object], { signal });
}
