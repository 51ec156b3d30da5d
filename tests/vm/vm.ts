import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  Conditions,
  connect,
  defaultPlan,
  type LabSpec,
  labDir,
  saveSpec,
  type Endpoint,
  silent,
} from '@handwired/host';
import { chooseDriver } from '@handwired/infra';
import type { Work } from '../../infra/driver.ts';
import { vm } from '../../infra/drivers/vm/index.ts';
import { privateFolders } from '../../infra/drivers/vm/hypervisor/private.ts';

export const work = (ms = 400_000): Work => ({ progress: silent, signal: AbortSignal.timeout(ms) });

/** Why tests of VMs can't run here; false: they can. For the `skip` option of node:test. */
export async function noVm(): Promise<string | false> {
  const { driver, why } = await chooseDriver('auto', work());
  return driver.name === 'vm' ? false : why;
}

/** The spec of a small lab, with an instance of its own; saved, as `lab up` does before it calls the driver. */
export async function specOf(name: string, more: Partial<LabSpec> = {}): Promise<LabSpec> {
  const spec: LabSpec = {
    schemaVersion: 1,
    name,
    driver: 'vm',
    conditions: Conditions.parse({ 'forward-policy': 'drop' }),
    plan: defaultPlan,
    cpus: 1,
    memoryMiB: 512,
    instance: randomBytes(6).toString('hex'),
    owner: 'test@test',
    createdAt: new Date(0).toISOString(),
    phase: 'creating',
    ...more,
  };
  await saveSpec(spec);
  made.push(spec);
  return spec;
}

const made: LabSpec[] = [];

/** A state folder of this process's own; the returned function removes it, and whatever a failed test left up. */
export async function ownState(): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), 'handwired-test-'));
  process.env['XDG_STATE_HOME'] = folder;
  return async () => {
    for (const spec of made.splice(0)) {
      await vm.destroy(spec, work());
      await rm(labDir(spec.name), { recursive: true, force: true });
    }
    await rm(folder, { recursive: true, force: true });
  };
}

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
