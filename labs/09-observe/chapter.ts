import { chapterData } from '../script.ts';

export const chapter = chapterData({
  id: 'observe',
  number: '09',
  title: 'One packet, seen at every place',
  needs: ['publish'],
  points: 5,
  steps: [],
});
