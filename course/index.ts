/** The engines of the course: they run, read, draw and export chapters and faults, which they get as arguments. */
import type { Course } from './chapter.ts';
import type { SiteOptions } from './site/site.ts';

export {
  type Chapter,
  type ChapterContent,
  type Course,
  findChapter,
  planCommands,
  type Step,
  type StepText,
} from './chapter.ts';
export * from './commands.ts';
export {
  drawTopology,
  picture,
  type PictureForm,
  pictureNames,
  pictureTitle,
  renderDrawing,
} from './diagrams/pictures.ts';
export { exportScript } from './export/script.ts';
export { translateRule } from './export/nft.ts';
export * from './faults.ts';
export {
  allBlocks,
  type Block,
  type CommandBlock,
  type Guide,
  type GuideStep,
  type Inline,
  toPlainText,
  type Section,
} from './guide/guide.ts';
export {
  fillInValues,
  guideFile,
  listGuideSteps,
  loadGuide,
  type ParsedGuide,
  readGuide,
  readParts,
  type Values,
} from './guide/read.ts';
export { compareOutput, type SeenLine } from './guide/see.ts';
export { summarizeCourse, summaryLines } from './guide/summary.ts';
export { type GuideStyle, guideLines } from './guide/terminal.ts';
export { type Progress, addUpProgress } from './progress.ts';
export {
  type Direction,
  renderGuardedScript,
  type RecordedStep,
  recordSteps,
  runChapters,
  type RunOptions,
  type StepEvent,
} from './run.ts';
export type { SiteOptions } from './site/site.ts';

/** Every file of the course's site, by its name in the site's folder. The code for it is loaded at the first call. */
export const makeSite = async (course: Course, options: SiteOptions): Promise<Map<string, string>> =>
  (await import('./site/site.ts')).makeSite(course, options);

/**
 * Writes a site's files into one folder, and takes away those of an earlier site that it has no more. A file that is not
 * ours is never touched. Throws LabError (78) for a folder that holds others and no site, and for a name that is taken.
 */
export const writeSite = async (folder: string, files: ReadonlyMap<string, string>): Promise<void> =>
  (await import('./site/site.ts')).writeSite(folder, files);
