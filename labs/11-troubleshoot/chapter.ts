import type { ChapterContent } from '@handwired/course';

export const chapter: ChapterContent = {
  title: 'Broken on purpose',
  needs: ['publish'],
  points: 5,
  steps: [],
};
