/** The course as the `lab` command uses it: the engines of @handwired/course with the chapters of this folder. */
import * as engines from '@handwired/course';
import type { ChapterId, Plan, Session } from '@handwired/host';
import { chapters, course } from './chapters.ts';

export {
  allBlocks,
  type Block,
  type Chapter,
  type CommandBlock,
  compareOutput,
  drawTopology,
  type Guide,
  guideLines,
  type GuideStyle,
  picture,
  type PictureForm,
  pictureNames,
  pictureTitle,
  type Progress,
  addUpProgress,
  type RecordedStep,
  renderDrawing,
  type SeenLine,
  type SiteOptions,
  type StepEvent,
  type Values,
  writeSite,
} from '@handwired/course';
export { chapters };

const chaptersWith = (ids: readonly ChapterId[]): engines.Chapter[] => ids.map((id) => engines.findChapter(course, id));

/** The options of `runChapters`, with the chapters given by their ids. */
interface RunOptions extends Omit<engines.RunOptions, 'chapters'> {
  /** In the order in which they are to run: the course's for build, the reverse for undo. */
  chapters: readonly ChapterId[];
}

const run = (direction: engines.Direction, session: Session, plan: Plan, options: RunOptions): Promise<void> =>
  engines.runChapters(direction, session, plan, { ...options, chapters: chaptersWith(options.chapters) });

/** Builds chapters on a lab host: see `runChapters`. */
export const build = (session: Session, plan: Plan, options: RunOptions): Promise<void> =>
  run('build', session, plan, options);

/** Undoes chapters on a lab host: see `runChapters`. */
export const undo = (session: Session, plan: Plan, options: RunOptions): Promise<void> =>
  run('undo', session, plan, options);

/** What `build` or `undo` of these chapters runs, without a lab host. */
export const record = (direction: engines.Direction, plan: Plan, ids: readonly ChapterId[]): engines.RecordedStep[] =>
  engines.recordSteps(direction, plan, chaptersWith(ids));

/** The network up to a chapter (default: all of it) as one bash script. Throws LabError (64) when that is nothing. */
export const exportScript = (plan: Plan, through?: ChapterId): Promise<string> =>
  engines.exportScript(course, plan, through);

/** Where a chapter's guide is, as it is named to people. */
export const guideFile = (id: ChapterId): string => engines.guideFile(engines.findChapter(course, id));

/** A chapter's guide and what is wrong with it; undefined: it has none. */
export const readGuide = (id: ChapterId, values: engines.Values): Promise<engines.ParsedGuide | undefined> =>
  engines.readGuide(course, id, values);

/** A chapter's guide. Throws LabError (3) when it is missing or can't be read. */
export const loadGuide = (id: ChapterId, values: engines.Values): Promise<engines.Guide> =>
  engines.loadGuide(course, id, values);

/** The whole course on one screen, one element a line. */
export const summaryLines = (style: engines.GuideStyle & { plan: Plan }): string[] =>
  engines.summaryLines(course, style);

/** Every file of the course's site, by its name in the one folder. */
export const makeSite = (options: engines.SiteOptions): Promise<Map<string, string>> =>
  engines.makeSite(course, options);
