import type { SiteOptions } from './site/site.ts';

export { chapters } from './chapters.ts';
export { exportScript } from './export/script.ts';
export { type Progress, progressOf } from './progress.ts';
export { drawTopology, inForm, type PictureForm } from './diagrams/draw.ts';
export { picture, pictureNames, pictureTitle } from './diagrams/pictures.ts';
export { type RecordedStep, record } from './record.ts';
export { build, type RunOptions, type StepEvent, undo, type Way } from './run.ts';
export type { Chapter, ChapterData, Command, StepText } from './script.ts';
export {
  allBlocks,
  type Block,
  type CommandBlock,
  type Guide,
  type GuideStep,
  type Inline,
  plainText,
  type Section,
} from './guide/guide.ts';
export { guideFile, guideOf, readGuide } from './guide/load.ts';
export type { GuideLook } from './guide/paint.ts';
export { compare, type SeenLine } from './guide/see.ts';
export { summaryLines, summaryOf } from './guide/summary.ts';
export { guideLines } from './guide/terminal.ts';
export type { Values } from './guide/values.ts';
export type { SiteOptions } from './site/site.ts';
export { writeSite } from './site/write.ts';

/** Every file of the course's site, by its name in the one folder. What makes it is loaded then: no other command needs it. */
export const siteOf = async (options: SiteOptions): Promise<Map<string, string>> =>
  (await import('./site/site.ts')).siteOf(options);
