import type { Chapter, Course } from '@handwired/course';
import { cleanupAfter } from './12-cleanup/chapter.ts';

/** A line a chapter, in the order of the course. A folder that is not here fails a test. */
const folders: readonly { chapter: Chapter }[] = await Promise.all([
  import('./00-tour/chapter.ts'),
  import('./01-namespaces/chapter.ts'),
  import('./02-bridge/chapter.ts'),
  import('./03-veth/chapter.ts'),
  import('./04-addressing/chapter.ts'),
  import('./05-connectivity/chapter.ts'),
  import('./06-egress/chapter.ts'),
  import('./07-dns/chapter.ts'),
  import('./08-publish/chapter.ts'),
  import('./09-observe/chapter.ts'),
  import('./10-docker/chapter.ts'),
  import('./11-troubleshoot/chapter.ts'),
]);

const before = folders.map(({ chapter }) => chapter);

/** Every chapter, in the order of the course. The last one takes all the others back. */
export const chapters: readonly Chapter[] = [...before, cleanupAfter(before)];

/** The course: its chapters, and the folder that theirs are in. */
export const course: Course = { chapters, folder: new URL('./', import.meta.url) };
