import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type LabSpec, messageOf } from '@handwired/host';
import type { DriverStatus } from '../../driver.ts';
import { runningHypervisor } from './hypervisor/index.ts';
import { look, type Objects } from './look.ts';
import { filesOf, namesOf } from './names.ts';
import { loadRecord } from './record.ts';

/** What the lab is, from libvirt and our own files: no engine is started, no daemon either. */
export async function status(spec: LabSpec, signal: AbortSignal): Promise<DriverStatus> {
  const record = await loadRecord(spec.name);
  if (!record) return { state: 'absent', detail: 'nothing was made yet' };
  const names = namesOf(spec);
  const diskMiB = await sizeMiB(join(filesOf(spec.name).pool, names.overlay));
  const cost = { memoryMiB: spec.memoryMiB, ...(diskMiB !== undefined && { diskMiB }) };
  try {
    const hypervisor = await runningHypervisor(record.hypervisor, signal);
    if (!hypervisor) {
      const where = record.hypervisor.kind === 'private' ? 'its private hypervisor' : record.hypervisor.uri;
      return { state: record.stage === 'made' ? 'stopped' : 'broken', detail: `${where} does not run`, ...cost };
    }
    const found = await look(hypervisor.uri, names.object, signal, 2000);
    return { ...judge(found, names.object, record.stage), ...cost };
  } catch (error) {
    signal.throwIfAborted();
    return { state: 'broken', detail: messageOf(error), ...cost };
  }
}

/** One line about the three objects. */
export function judge(
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

/** Space that the file takes, not its length. */
async function sizeMiB(file: string): Promise<number | undefined> {
  const found = await stat(file).catch(() => undefined);
  return found && Math.ceil((found.blocks * 512) / 1048576);
}
