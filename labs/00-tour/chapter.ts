import type { Chapter } from '@handwired/course';

export const chapter: Chapter = {
  id: 'tour',
  number: '00',
  title: 'The lab host as you find it',
  needs: [],
  points: 0,
  steps: [],
};
