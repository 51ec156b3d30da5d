import { type ChapterId, defaultPlan, EXIT, findSpec, loadSpec, type Plan } from '@handwired/host';
import { exportScript } from '@handwired/labs';
import type { Context } from '../context.ts';
import { labName } from '../options.ts';

export interface ExportOptions {
  through?: ChapterId;
  lab?: string;
}

/** `lab export`: prints the script. Neither a lab nor a lab host is needed. */
export async function runExport(context: Context, { through, lab }: ExportOptions): Promise<number> {
  context.print((await exportScript(await planOf(lab), through)).trimEnd());
  return EXIT.ok;
}

/** The plan of the named lab, which has to exist; else that of the default lab, where there is one. */
async function planOf(lab: string | undefined): Promise<Plan> {
  if (lab !== undefined) return (await loadSpec(lab)).plan;
  return (await findSpec(labName()))?.plan ?? defaultPlan;
}
