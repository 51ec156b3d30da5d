import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Conditions, defaultPlan, type DriverName, labDir, type LabSpec } from '@handwired/host';
import type { Driver, Work } from '../infra/driver.ts';

const made: LabSpec[] = [];

/** The spec of a small lab, with an instance of its own; what was made from it goes with `ownStateOf`'s function. */
export function testSpec(driver: DriverName, name: string, more: Partial<LabSpec>): LabSpec {
  const spec: LabSpec = {
    schemaVersion: 1,
    name,
    driver,
    conditions: Conditions.parse({}),
    plan: defaultPlan,
    cpus: 1,
    memoryMiB: 512,
    instance: randomBytes(6).toString('hex'),
    owner: 'test@test',
    createdAt: new Date(0).toISOString(),
    phase: 'creating',
    ...more,
  };
  made.push(spec);
  return spec;
}

/** Makes a state folder for this process. The returned function removes it and the labs that a failed test left. */
export async function ownStateOf(driver: Driver, work: () => Work): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), 'handwired-test-'));
  process.env['XDG_STATE_HOME'] = folder;
  return async () => {
    for (const spec of made.splice(0)) {
      await driver.destroy(spec, work());
      await rm(labDir(spec.name), { recursive: true, force: true });
    }
    await rm(folder, { recursive: true, force: true });
  };
}
