import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ChapterId, chapterIds, defaultPlan } from '@handwired/host';
import { allBlocks, chapters, guideFile, readGuide, type SeenLine } from '@handwired/labs';
import { answersFile, readAnswers } from './answers.ts';
import { commandsOf, isTyped, judge, type Typed } from './judge.ts';
import type { BlockEnd } from './root-shell.ts';
import { type Stage, type StageOptions, stageOf } from './stage.ts';

/** What is wrong with a block of a guide, or with a chapter as a whole. */
export interface Failure {
  /** `labs/02-bridge/guide.md:41`. */
  where: string;
  commands: string;
  what: string;
  /** What one should see beside what came. */
  lines: readonly SeenLine[];
}

export interface ChapterResult {
  chapter: ChapterId;
  /** Blocks of commands that were run. */
  blocks: number;
  failures: readonly Failure[];
  ms: number;
}

interface Asked extends StageOptions {
  chapters: readonly ChapterId[];
  onChapter: (result: ChapterResult) => void;
  /** Called with each block and how it ended. */
  onBlock?: (commands: string, end: BlockEnd, ms: number) => void;
  signal?: AbortSignal;
}

/**
 * Runs guides as written, in the order of the course, on one new lab host. What chapters that were not asked for leave
 * is built by `lab build`. After each chapter the checker has to agree.
 */
export async function runGuides(asked: Asked): Promise<ChapterResult[]> {
  const folder = await mkdtemp(join(tmpdir(), 'handwired-guides-'));
  const before = process.env['XDG_STATE_HOME'];
  process.env['XDG_STATE_HOME'] = join(folder, 'state');
  let stage: Stage | undefined;
  try {
    stage = await stageOf(asked, folder);
    const results: ChapterResult[] = [];
    for (const id of chapterIds.filter((one) => asked.chapters.includes(one))) {
      const result = await runChapter(stage, id, asked);
      results.push(result);
      asked.onChapter(result);
    }
    return results;
  } finally {
    await stage?.end();
    if (before === undefined) delete process.env['XDG_STATE_HOME'];
    else process.env['XDG_STATE_HOME'] = before;
    await rm(folder, { recursive: true, force: true });
  }
}

async function runChapter(stage: Stage, id: ChapterId, asked: Asked): Promise<ChapterResult> {
  const start = performance.now();
  await prepare(stage, id, asked.chapters);
  const values = { plan: stage.plan, lab: stage.name };
  const parsed = await readGuide(id, values);
  if (!parsed) throw new Error(`there is no ${guideFile(id)}`);
  const problems = parsed.problems.map(({ line, what }) => failure(`${guideFile(id)}:${line}`, what));
  const guide = allBlocks(parsed.guide.sections.flatMap(({ blocks }) => blocks)).filter(isTyped);
  const answers = allBlocks(await readAnswers(id, values)).filter(isTyped);
  const wrong = [
    ...(await typeAll(stage, guide, guideFile(id), asked)),
    ...(await typeAll(stage, answers, answersFile(id), asked)),
  ];
  const told = await agreement(stage, id);
  const end = told === undefined ? [] : [failure(guideFile(id), told)];
  const failures = [...problems, ...wrong, ...end];
  return { chapter: id, blocks: guide.length + answers.length, failures, ms: performance.now() - start };
}

const failure = (where: string, what: string): Failure => ({ where, what, commands: '', lines: [] });

async function typeAll(stage: Stage, blocks: readonly Typed[], file: string, asked: Asked): Promise<Failure[]> {
  const failures: Failure[] = [];
  for (const block of blocks) {
    asked.signal?.throwIfAborted();
    const commands = commandsOf(block);
    const start = performance.now();
    const here = block.kind === 'command' && block.where === 'own machine';
    const end = await (here ? stage.here(commands) : stage.there(commands));
    asked.onBlock?.(commands, end, performance.now() - start);
    const wrong = judge(block, end);
    if (wrong) failures.push({ where: `${file}:${block.line}`, commands, ...wrong });
    // What comes after a block that hangs or ends the shell says nothing.
    if (end.status === undefined) break;
  }
  return failures;
}

/** The chapters of the network itself; those after it stand on all of it. */
const network = chapterIds.slice(0, chapterIds.indexOf('publish') + 1);

/** Builds what stands before the chapter in the course, unless guides before it have. */
async function prepare(stage: Stage, id: ChapterId, asked: readonly ChapterId[]): Promise<void> {
  const before = network.slice(0, network.includes(id) ? network.indexOf(id) : undefined);
  const last = before.findLast((one) => !asked.includes(one));
  if (last !== undefined) await stage.lab(['build', stage.name, '--through', last]);
  if (id !== 'cleanup') return;
  // Its first steps are for those who also did the chapters after the network that make something.
  const after = chapters.filter((one) => one.cleanup !== undefined && !network.includes(one.id));
  for (const one of after.filter((each) => !asked.includes(each.id)))
    await stage.lab(['build', stage.name, '--chapter', one.id]);
}

/** Grades the network up to a chapter at its end. Undefined when the checker agrees, else what it says. */
async function agreement(stage: Stage, id: ChapterId): Promise<string | undefined> {
  const points = chapters.find((one) => one.id === id)?.points ?? 0;
  // 2: nothing to check.
  const codes = points > 0 ? [0] : [0, 2];
  return stage.lab(['check', stage.name, network.includes(id) ? '--through' : '--chapter', id], codes).then(
    () => undefined,
    (error: unknown) => (error as Error).message,
  );
}

/** The chapters that have a guide. */
export async function written(): Promise<ChapterId[]> {
  const values = { plan: defaultPlan, lab: 'lab' };
  const parsed = await Promise.all(chapterIds.map((id) => readGuide(id, values)));
  return chapterIds.filter((_id, at) => parsed[at] !== undefined);
}
