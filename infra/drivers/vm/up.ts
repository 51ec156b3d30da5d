import { mkdir } from 'node:fs/promises';
import { type Endpoint, type LabSpec, LabError } from '@handwired/host';
import type { Work } from '../../driver.ts';
import { ensurePackages } from '../../packages.ts';
import { removeMade } from './destroy.ts';
import { endpointOf } from './endpoint.ts';
import { ensureHypervisor, type Hypervisor } from './hypervisor/index.ts';
import { ensureKeys } from './keys.ts';
import { look } from './look.ts';
import { withLab } from './lock.ts';
import { make } from './make.ts';
import { filesOf, namesOf } from './names.ts';
import { loadRecord, type VmRecord } from './record.ts';
import { virsh } from './virsh.ts';
import { waitUntilReady } from './wait.ts';

/** See Driver.up: what is whole is started where it is off; what is not whole is removed and made anew. */
export function up(spec: LabSpec, work: Work): Promise<Endpoint> {
  return withLab(spec.name, work, async () => {
    await ensurePackages('vm', work);
    const record = await loadRecord(spec.name);
    const endpoint = record?.stage === 'made' ? await goOn(spec, record, work) : undefined;
    if (endpoint) return endpoint;
    await mkdir(filesOf(spec.name).folder, { recursive: true, mode: 0o700 });
    if (record) await work.progress.stage('Remove what was left half made', () => removeMade(spec, work));
    return make(spec, work);
  });
}

/** The lab as it is, running and answering; undefined when something of it is gone. */
async function goOn(spec: LabSpec, record: VmRecord, work: Work): Promise<Endpoint | undefined> {
  const hypervisor = await ensureHypervisor(spec, record.hypervisor, work);
  const { object } = namesOf(spec);
  const found = await look(hypervisor.uri, object, work.signal);
  if (found.domain === '' || found.network === '' || found.pool === '') return undefined;
  const endpoint = endpointOf(spec, hypervisor, record, await ensureKeys(spec.name));
  if (found.domain !== 'running') await powerOn(spec, hypervisor, work);
  await waitUntilReady({ spec, hypervisor, endpoint, address: record.address, signal: work.signal }, work);
  return endpoint;
}

/** Starts what is off: after a reboot of this machine the network and the pool are off too. */
export async function powerOn(spec: LabSpec, { uri }: Hypervisor, work: Work): Promise<void> {
  const { object } = namesOf(spec);
  const { signal } = work;
  const found = await look(uri, object, signal);
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
