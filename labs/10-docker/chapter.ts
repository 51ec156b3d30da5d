import { chapterData } from '../script.ts';

export const chapter = chapterData({
  id: 'docker',
  number: '10',
  title: 'What Docker builds',
  needs: ['publish'],
  points: 5,
  steps: [],
});
