import { chapterData } from '../script.ts';

export const chapter = chapterData({
  id: 'tour',
  number: '00',
  title: 'The lab host as you find it',
  needs: [],
  points: 0,
  steps: [],
});
