import { exists, findSpec, forgetLab, labDir, LabError, saveSpec, type LabSpec } from '@handwired/host';
import { drivers } from '@handwired/infra';
import type { Context } from '../context.ts';

/**
 * Removes everything of a lab, half made ones too; returns a line for each thing removed, none when there was nothing.
 * The caller holds its lock. `destroying` on disk comes first: from then on nobody takes it for a lab.
 */
export async function takeDown(name: string, context: Context): Promise<string[]> {
  if (!(await exists(labDir(name)))) return [];
  const spec = await readableSpec(name, context);
  if (!spec) {
    await forgetLab(name);
    return [`state folder ${labDir(name)} (it held no lab)`];
  }
  if (spec.phase !== 'destroying') await saveSpec({ ...spec, phase: 'destroying' });
  const removed = await drivers[spec.driver].destroy({ ...spec, phase: 'destroying' }, context);
  await forgetLab(name);
  return [...removed, `state folder ${labDir(name)}`];
}

/** A folder without a spec was cut off before anything was made. A spec that can't be read must not be thrown away. */
async function readableSpec(name: string, context: Context): Promise<LabSpec | undefined> {
  try {
    return await findSpec(name);
  } catch (error) {
    context.signal.throwIfAborted();
    if (!(error instanceof LabError)) throw error;
    const what = `lab ${name} can't be destroyed, its spec is damaged and names what was made: ${error.message}`;
    throw new LabError({
      what,
      where: `${labDir(name)}/lab.json`,
      next: `rm -r ${labDir(name)}   (once nothing of it runs: lab doctor)`,
    });
  }
}
