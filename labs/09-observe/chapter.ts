import type { Chapter } from '@handwired/course';

export const chapter: Chapter = {
  id: 'observe',
  number: '09',
  title: 'One packet, seen at every place',
  needs: ['publish'],
  points: 5,
  steps: [],
};
