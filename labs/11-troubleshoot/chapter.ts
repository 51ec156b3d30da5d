import type { Chapter } from '@handwired/course';

export const chapter: Chapter = {
  id: 'troubleshoot',
  number: '11',
  title: 'Broken on purpose',
  needs: ['publish'],
  points: 5,
  steps: [],
};
