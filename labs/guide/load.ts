import { readFile } from 'node:fs/promises';
import { type ChapterId, EXIT, LabError } from '@handwired/host';
import { record } from '../record.ts';
import { chapterOf } from '../run.ts';
import type { Guide, GuideStep } from './guide.ts';
import { type Parsed, parseGuide } from './parse.ts';
import type { Values } from './values.ts';

/** Where a chapter's guide stands, as it is named to people: `labs/02-bridge/guide.md`. */
export function guideFile(id: ChapterId): string {
  return `labs/${chapterOf(id).number}-${id}/guide.md`;
}

/** A chapter's guide with these values and the chapter's steps in it, and what is wrong with it. undefined: it has none. */
export async function readGuide(id: ChapterId, values: Values): Promise<Parsed | undefined> {
  const text = await readFile(new URL(`../../${guideFile(id)}`, import.meta.url), 'utf8').catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  });
  if (text === undefined) return undefined;
  return parseGuide(text, chapterOf(id), { ...values, steps: await stepsOf(id, values) });
}

/** The same for who reads it: a guide that is missing or can't be read is our error. */
export async function guideOf(id: ChapterId, values: Values): Promise<Guide> {
  const parsed = await readGuide(id, values);
  const [problem] = parsed?.problems ?? [];
  if (parsed && !problem) return parsed.guide;
  throw new LabError({
    what: problem ? `the guide can't be read: ${problem.what}` : `chapter ${id} has no guide yet`,
    where: problem ? `${guideFile(id)}:${problem.line}` : guideFile(id),
    next: 'lab guide',
    exit: EXIT.fault,
  });
}

/** A chapter's steps as a guide shows them: without commands that need a note (`after`), which only `lab build` makes. */
export async function stepsOf(id: ChapterId, { plan }: Pick<Values, 'plan'>): Promise<GuideStep[]> {
  const steps = await record('build', plan, [id]);
  return steps.map(({ commands, ...step }) => ({
    ...step,
    commands: commands.filter(({ after }) => !after).map(({ run }) => run.cmd),
  }));
}
