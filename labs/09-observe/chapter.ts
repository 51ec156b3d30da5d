import type { ChapterContent } from '@handwired/course';

export const chapter: ChapterContent = {
  title: 'One packet, seen at every place',
  needs: ['publish'],
  points: 5,
  steps: [],
};
