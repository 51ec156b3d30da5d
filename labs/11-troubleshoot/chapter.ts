import { chapterData } from '../script.ts';

export const chapter = chapterData({
  id: 'troubleshoot',
  number: '11',
  title: 'Broken on purpose',
  needs: ['publish'],
  points: 5,
  steps: [],
});
