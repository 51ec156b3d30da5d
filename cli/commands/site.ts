import { resolve } from 'node:path';
import { defaultPlan, EXIT, findSpec, loadSpec } from '@handwired/host';
import { siteOf, writeSite } from '@handwired/labs';
import type { Context } from '../context.ts';
import { labName } from '../options.ts';
import { subtitleOf } from './guide.ts';

/** `lab guide --html`: the whole course as a static site in a folder, with the lab's values in it. */
export async function runSite(context: Context, folder: string, lab: string | undefined): Promise<number> {
  context.resume = `lab guide --html ${folder}   (writes it anew)`;
  const name = lab ?? labName();
  const spec = lab === undefined ? await findSpec(name) : await loadSpec(name);
  const subtitle = subtitleOf(name, spec);
  const files = await siteOf({
    plan: spec?.plan ?? defaultPlan,
    lab: name,
    subtitle: `${subtitle.slice(0, 1).toUpperCase()}${subtitle.slice(1)}.`,
  });
  await writeSite(folder, files);
  context.print(`${files.size} files written; open ${resolve(folder, 'index.html')}`);
  return EXIT.ok;
}
