/** The course's chapters in their order. The data of each is in labs/NN-id/chapter.ts. */
export const chapterIds = [
  'tour',
  'namespaces',
  'bridge',
  'veth',
  'addressing',
  'connectivity',
  'egress',
  'dns',
  'publish',
  'observe',
  'docker',
  'troubleshoot',
  'cleanup',
] as const;

export type ChapterId = (typeof chapterIds)[number];

/** What everyone may know of a chapter without importing labs. */
export interface ChapterInfo {
  id: ChapterId;
  /** Two digits, as in the folder's name: `06`. */
  number: string;
  title: string;
  /** Chapters whose work this one stands on. */
  needs: ChapterId[];
  points: number;
}
