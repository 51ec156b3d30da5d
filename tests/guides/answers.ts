import { readFile } from 'node:fs/promises';
import type { ChapterId } from '@handwired/host';
import { fillIn, readParts } from '@handwired/course';
import { type Block, type Values } from '@handwired/labs';

/**
 * What solves a chapter's exercise, typed after the chapter's guide: answers/ID.md, in the format of guides, without
 * headings and steps. A guide has no answer in sight.
 */
export async function answersTo(id: ChapterId, values: Values): Promise<readonly Block[]> {
  const text = await readFile(new URL(`answers/${id}.md`, import.meta.url), 'utf8').catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  });
  const problem = (line: number, what: string): never => {
    throw new Error(`tests/guides/answers/${id}.md:${line}: ${what}`);
  };
  const filled = fillIn(text, values, (path, line) => problem(line, `no value is called {{${path}}}`));
  return readParts(filled, { steps: [], isPicture: () => false, problem }).flatMap(({ blocks }) => blocks);
}
