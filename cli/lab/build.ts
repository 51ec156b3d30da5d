/**
 * Building our solution on a lab host: which chapters the flags select, the build itself, and how its steps are
 * printed.
 */
import { loadRecord, noteBegun, saveRecord } from '@handwired/checker';
import { chapterIds, type ChapterId, type ChapterInfo, recordFile } from '@handwired/host';
import { build, chapters as course, type StepEvent } from '@handwired/labs';
import type { ChapterFlags, Context } from '../command.ts';
import { createPaint, toPrintable } from '../text.ts';
import { noteHint } from './fault.ts';
import { rememberEvents } from './open.ts';

const toCourseOrder = (wanted: ReadonlySet<ChapterId>): ChapterId[] => chapterIds.filter((id) => wanted.has(id));

/** The last chapter that builds the network. Later chapters look at it, compare it and break it. */
export const lastNetworkChapter: ChapterId = 'publish';

/**
 * The chapters to build, in course order: one chapter with all that it needs, all chapters up to one, or the whole
 * network.
 */
export function selectToBuild(chapters: readonly ChapterInfo[], { chapter, through }: ChapterFlags): ChapterId[] {
  const built = chapters.filter(({ id }) => id !== 'cleanup').map(({ id }) => id);
  if (chapter === 'cleanup' || through === 'cleanup') return toCourseOrder(new Set(built));
  if (chapter !== undefined) return toCourseOrder(findReachable([chapter], (id) => findNeeds(chapters, id)));
  const last = chapterIds.indexOf(through ?? lastNetworkChapter);
  return toCourseOrder(new Set(built.filter((id) => chapterIds.indexOf(id) <= last)));
}

/**
 * The chapters to build before one begins: the chapters of the network that come before it, and all others that it
 * needs.
 */
export function selectToBuildBefore(chapters: readonly ChapterInfo[], to: ChapterId): ChapterId[] {
  const network = selectToBuild(chapters, {}).filter((id) => chapterIds.indexOf(id) < chapterIds.indexOf(to));
  return toCourseOrder(findReachable([...network, ...findNeeds(chapters, to)], (id) => findNeeds(chapters, id)));
}

/** The chapters to undo, the last one first: one chapter with all that need it, or the whole course. */
export function selectToUndo(chapters: readonly ChapterInfo[], chapter: ChapterId | undefined): ChapterId[] {
  const all = chapters.filter(({ id }) => id !== 'cleanup').map(({ id }) => id);
  if (chapter === undefined || chapter === 'cleanup') return toCourseOrder(new Set(all)).reverse();
  const findUsers = (id: ChapterId): ChapterId[] =>
    chapters.filter(({ needs, id: user }) => user !== 'cleanup' && needs.includes(id)).map((user) => user.id);
  return toCourseOrder(findReachable([chapter], findUsers)).reverse();
}

const findNeeds = (chapters: readonly ChapterInfo[], id: ChapterId): ChapterId[] =>
  chapters.find((chapter) => chapter.id === id)?.needs ?? [];

/** All ids that can be reached from the first ones through `next`, including the first ones. */
function findReachable(first: readonly ChapterId[], next: (id: ChapterId) => ChapterId[]): Set<ChapterId> {
  const reached = new Set<ChapterId>();
  const queue = [...first];
  for (let id = queue.pop(); id !== undefined; id = queue.pop()) {
    if (reached.has(id)) continue;
    reached.add(id);
    queue.push(...next(id));
  }
  return reached;
}

/**
 * Builds our solution. Chapters are recorded as begun before the first step: `lab check` grades them also when the build
 * is cut off or undone. The caller holds the lab's lock.
 */
export const createBuild =
  (name: string, context: Context): typeof build =>
  async (session, plan, options) => {
    const record = await loadRecord(recordFile(name));
    noteBegun(record, options.chapters);
    await saveRecord(recordFile(name), record);
    await rememberEvents(name, context, { kind: 'build', chapters: [...options.chapters] });
    await noteHint(name);
    await build(session, plan, options);
  };

/**
 * Prints each step as it ends: its chapter when that is a new one, its title and what became of it, its commands as one
 * would type them. `verb` stands before the title.
 */
export function createStepPrinter(context: Context, verb = ''): (event: StepEvent) => void {
  const paint = createPaint(context.color);
  const marks = { run: paint('green', '✔'), already: paint('dim', '='), failed: paint('red', '✖') };
  let shown: ChapterId | undefined;
  return ({ chapter: id, title, command, status, ms, output }) => {
    const chapter = course.find((one) => one.id === id);
    if (shown !== id) context.print(paint('bold', `${chapter?.number ?? ''} ${chapter?.title ?? id}`));
    shown = id;
    const result = { run: `${(ms / 1000).toFixed(1)} s`, already: 'already so', failed: 'failed' }[status];
    context.print(`  ${marks[status]} ${verb}${title}  ${paint('dim', result)}`);
    for (const line of command.trim().split('\n'))
      context.print(`      ${status === 'already' ? paint('dim', line) : line}`);
    if (status === 'failed') for (const line of output.trim().split('\n')) context.print(`      ${toPrintable(line)}`);
  };
}
