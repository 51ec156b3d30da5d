import { readFile } from 'node:fs/promises';
import type { ChapterId } from '@handwired/host';
import { fillInValues, readParts } from '@handwired/course';
import { type Block, guideFile, type Values } from '@handwired/labs';

/** Where the answer to a chapter's exercise is: `labs/02-bridge/answers.md`. No command of a learner's shows it. */
export const answersFile = (id: ChapterId): string => guideFile(id).replace('guide.md', 'answers.md');

/**
 * What solves a chapter's exercise, typed after the chapter's guide, in the format of guides, without headings and steps.
 * Throws where the file can't be read so.
 */
export async function readAnswers(id: ChapterId, values: Values): Promise<readonly Block[]> {
  const file = answersFile(id);
  const text = await readFile(new URL(`../../${file}`, import.meta.url), 'utf8');
  const problem = (line: number, what: string): never => {
    throw new Error(`${file}:${line}: ${what}`);
  };
  const filled = fillInValues(text, values, (path, line) => problem(line, `no value is called {{${path}}}`));
  return readParts(filled, { steps: [], isPicture: () => false, problem }).flatMap(({ blocks }) => blocks);
}
