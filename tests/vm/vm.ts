import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Conditions, connect, type LabSpec, labDir, saveSpec, type Endpoint, silent } from '@handwired/host';
import { findObstacle } from '@handwired/infra';
import type { Work } from '../../infra/driver.ts';
import { vm } from '../../infra/drivers/vm/index.ts';
import { ownStateOf, testSpec } from '../driver-labs.ts';
import { privateFolders } from '../../infra/drivers/vm/hypervisor.ts';

export const work = (ms = 400_000): Work => ({ progress: silent, signal: AbortSignal.timeout(ms) });

/** Why tests of VMs can't run here; false when they can. For the `skip` option of node:test. */
export async function noVm(): Promise<string | false> {
  return (await findObstacle('vm', work().signal)) ?? false;
}

/** The spec of a small lab, with an instance of its own; saved, as `lab up` does before it calls the driver. */
export async function specOf(name: string, more: Partial<LabSpec> = {}): Promise<LabSpec> {
  const spec = testSpec('vm', name, { conditions: Conditions.parse({ 'forward-policy': 'drop' }), ...more });
  await saveSpec(spec);
  return spec;
}

export const ownState = (): Promise<() => Promise<void>> => ownStateOf(vm, work);

/** stdout of a command line on the lab host that must succeed. */
export async function sh(endpoint: Endpoint, command: string): Promise<string> {
  const session = await connect(endpoint);
  try {
    const { code, stdout, stderr } = await session.exec(command);
    if (code !== 0) throw new Error(`${command}: ${code ?? 'signal'}\n${stdout}${stderr}`);
    return stdout.trim();
  } finally {
    session.close();
  }
}

/** What there is of this process's labs: processes, the hypervisor's folders, files of the driver. */
export async function traces(spec: LabSpec): Promise<string[]> {
  const folders = privateFolders();
  const words = [folders.run, `handwired-${spec.name}-`, `HANDWIRED_ENGINE=${spec.instance}`];
  const found: string[] = [];
  for (const pid of (await readdir('/proc')).filter((entry) => /^\d+$/.test(entry) && Number(entry) !== process.pid)) {
    const read = (file: string): Promise<string> => readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '');
    const text = `${await read('cmdline')}\0${await read('environ')}`;
    if (words.some((word) => text.includes(word))) found.push(`process ${text.split('\0').slice(0, 3).join(' ')}`);
  }
  for (const folder of [folders.run, folders.state, join(labDir(spec.name), 'vm')])
    for (const name of await readdir(folder).catch(() => [])) found.push(join(folder, name));
  return found;
}
