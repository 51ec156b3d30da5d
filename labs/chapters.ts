/** The course: the folders NUMBER-ID beside this file, in the order of their registry, `chapterIds` (host/plan.ts). */
import type { Chapter, ChapterContent, Course } from '@handwired/course';
import { chapterIds } from '@handwired/host';

/** Two digits: a chapter's place in the course, with which the name of its folder begins. */
const renderNumber = (at: number): string => String(at).padStart(2, '0');

/** A file of every chapter's folder, in order. `T` is what it exports. */
export const loadFiles = <T>(name: 'chapter' | 'checks'): Promise<T[]> =>
  Promise.all(chapterIds.map((id, at) => import(`./${renderNumber(at)}-${id}/${name}.ts`) as Promise<T>));

/** What a chapter.ts exports. The cleanup chapter is computed from the chapters before it. */
interface ChapterFile {
  chapter: ChapterContent | ((before: readonly Chapter[]) => ChapterContent);
}

const files = await loadFiles<ChapterFile>('chapter');

/** Every chapter, in the order of the course. */
export const chapters: readonly Chapter[] = chapterIds.reduce<Chapter[]>((before, id, at) => {
  const content = files[at]?.chapter;
  if (content === undefined) throw new TypeError(`labs/${renderNumber(at)}-${id}/chapter.ts exports no chapter`);
  const own = typeof content === 'function' ? content(before) : content;
  return [...before, { id, number: renderNumber(at), ...own }];
}, []);

/** The course: its chapters, and the folder that theirs are in. */
export const course: Course = { chapters, folder: new URL('./', import.meta.url) };
