import type { ChapterContent } from '@handwired/course';

export const chapter: ChapterContent = {
  title: 'The lab host as you find it',
  needs: [],
  points: 0,
  steps: [],
};
