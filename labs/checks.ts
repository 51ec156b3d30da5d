/** The chapters with what grades them. An entry of its own: commands that grade nothing do not load it. */
import type { ChapterChecks, GradedChapter } from '@handwired/checker/checks';
import { chapters, loadFiles } from './chapters.ts';

const files = await loadFiles<{ grading: ChapterChecks }>('checks');

/** Every chapter of the course with its checks: what the checker's functions take as `chapters`. */
export const gradedChapters: readonly GradedChapter[] = chapters.map((chapter, at) => {
  const grading = files[at]?.grading;
  if (grading === undefined) throw new TypeError(`labs/${chapter.number}-${chapter.id}/checks.ts exports no grading`);
  return { ...chapter, ...grading, checks: grading.checks.map((check) => ({ ...check, chapter: chapter.id })) };
});
