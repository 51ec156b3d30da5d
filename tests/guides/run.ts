import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import {
  type ChapterId,
  chapterIds,
  connect,
  defaultPlan,
  type DriverName,
  loadEndpoint,
  run,
  type Session,
} from '@handwired/host';
import { allBlocks, type Block, chapters, compare, guideFile, readGuide, type SeenLine } from '@handwired/labs';
import { labCommand } from '../lab.ts';
import { type BlockEnd, openRootShell, type RootShell } from './root-shell.ts';

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

export interface Asked {
  chapters: readonly ChapterId[];
  driver: DriverName;
  /** The lab's name, in a state folder of its own. */
  name: string;
  onChapter: (result: ChapterResult) => void;
}

/** A block may take so long; an emulated VM is slower by far. */
const blockMs: Record<DriverName, number> = { sandbox: 60_000, vm: 240_000 };

/**
 * Runs guides as written, in the order of the course, on one new lab host. What chapters that were not asked for leave
 * is built by `lab build`. After each chapter the checker has to agree.
 */
export async function runGuides(asked: Asked): Promise<ChapterResult[]> {
  const folder = await mkdtemp(join(tmpdir(), 'handwired-guides-'));
  const state = process.env['XDG_STATE_HOME'];
  process.env['XDG_STATE_HOME'] = join(folder, 'state');
  const stage = stageOf(asked, folder);
  try {
    await stage.lab(['up', asked.name, '--driver', asked.driver]);
    const results: ChapterResult[] = [];
    for (const id of chapterIds.filter((one) => asked.chapters.includes(one))) {
      const result = await runChapter(stage, id, asked.chapters);
      results.push(result);
      asked.onChapter(result);
    }
    return results;
  } finally {
    await stage.end();
    if (state === undefined) delete process.env['XDG_STATE_HOME'];
    else process.env['XDG_STATE_HOME'] = state;
    await rm(folder, { recursive: true, force: true });
  }
}

/** The two windows of a learner. */
interface Stage {
  name: string;
  ms: number;
  /** The `lab` command; throws with its output when its exit code is not one of those. */
  lab(words: readonly string[], codes?: readonly number[]): Promise<string>;
  here(text: string): Promise<BlockEnd>;
  there(text: string): Promise<BlockEnd>;
  end(): Promise<void>;
}

function stageOf({ name, driver }: Asked, folder: string): Stage {
  let session: Session | undefined;
  let shell: RootShell | undefined;
  const ms = blockMs[driver];
  const path = `${dirname(labCommand)}:${process.env['PATH'] ?? ''}`;
  const env = { PATH: path, LAB_NAME: name, LAB_HINTS: '', NO_COLOR: '1', COLUMNS: '100' };
  const here = async (text: string): Promise<BlockEnd> => {
    const argv = ['bash', '-c', `exec 2>&1\n${text}`];
    const { code, stdout } = await run(argv, { cwd: folder, env, timeoutMs: ms, allowFailure: true });
    return { status: code ?? undefined, failed: code ?? 1, output: stdout };
  };
  const there = async (text: string): Promise<BlockEnd> => {
    if (shell?.closed !== false) {
      session?.close();
      session = await connect(await loadEndpoint(name));
      shell = await openRootShell(session);
    }
    return shell.type(text, ms);
  };
  return {
    name,
    ms,
    here,
    there,
    lab: async (words, codes = [0]) => {
      const { code, stdout, stderr } = await run([labCommand, ...words], { cwd: folder, env, allowFailure: true });
      if (code === null || !codes.includes(code))
        throw new Error(`lab ${words.join(' ')}: ${code}\n${stdout}${stderr}`);
      return stdout;
    },
    end: async () => {
      session?.close();
      await run([labCommand, 'destroy', '--all'], { cwd: folder, env });
    },
  };
}

async function runChapter(stage: Stage, id: ChapterId, asked: readonly ChapterId[]): Promise<ChapterResult> {
  const start = performance.now();
  await prepare(stage, id, asked);
  const parsed = await readGuide(id, { plan: defaultPlan, lab: stage.name });
  const failures: Failure[] = [];
  const where = (line: number): string => `${guideFile(id)}:${line}`;
  if (!parsed) failures.push({ where: guideFile(id), commands: '', what: 'there is no guide', lines: [] });
  for (const { line, what } of parsed?.problems ?? [])
    failures.push({ where: where(line), commands: '', what, lines: [] });
  const blocks = allBlocks(parsed?.guide.sections.flatMap((section) => section.blocks) ?? []);
  let count = 0;
  for (const block of blocks) {
    if (block.kind !== 'command' && block.kind !== 'step') continue;
    count += 1;
    const commands = block.kind === 'step' ? block.step.commands.join('\n') : block.text;
    const end =
      block.kind === 'command' && block.where === 'own machine'
        ? await stage.here(commands)
        : await stage.there(commands);
    const wrong = judge(block, end);
    if (wrong) failures.push({ where: where(block.line), commands, ...wrong });
    // What comes after a block that hangs or ends the shell says nothing.
    if (end.status === undefined) break;
  }
  const told = await agreement(stage, id);
  if (told !== undefined) failures.push({ where: guideFile(id), commands: '', what: told, lines: [] });
  return { chapter: id, blocks: count, failures, ms: performance.now() - start };
}

/** Builds what the chapter stands on, unless guides before it have. */
async function prepare(stage: Stage, id: ChapterId, asked: readonly ChapterId[]): Promise<void> {
  const needs = id === 'cleanup' ? (['publish', 'dns'] as const) : (chapters.find((one) => one.id === id)?.needs ?? []);
  for (const need of needs) if (!asked.includes(need)) await stage.lab(['build', stage.name, '--chapter', need]);
}

/** What is wrong with how a block ended, if anything. */
function judge(
  block: Extract<Block, { kind: 'command' | 'step' }>,
  end: BlockEnd,
): Pick<Failure, 'what' | 'lines'> | undefined {
  const came = end.output.split('\n').map((text) => ({ mark: ' ' as const, text }));
  if (end.status === undefined) return { what: end.trouble ?? 'it ended without a status', lines: came };
  const fails = block.kind === 'command' && block.ends === 'fails';
  if (fails && end.status === 0) return { what: 'it must fail, and did not', lines: came };
  if (!fails && end.failed !== 0) return { what: `a command failed with status ${end.failed}`, lines: came };
  const wanted = block.see ?? (block.kind === 'command' && block.where === 'lab host' && !block.quiet ? '' : undefined);
  const lines = wanted === undefined ? undefined : compare(wanted, end.output);
  return (
    lines && {
      what: block.see === undefined ? 'it printed something, and has no see fence' : 'not what one should see',
      lines,
    }
  );
}

/** Whether the checker agrees at the end of a chapter; else what it says. */
async function agreement(stage: Stage, id: ChapterId): Promise<string | undefined> {
  const chapter = chapters.find((one) => one.id === id);
  const builds = id !== 'cleanup' && (chapter?.steps.length ?? 0) > 0;
  const flag = builds ? '--through' : '--chapter';
  // 2: nothing to check, as with a chapter that has no checks.
  const codes = builds || (chapter?.points ?? 0) > 0 ? [0] : [0, 2];
  return stage.lab(['check', stage.name, flag, id], codes).then(
    () => undefined,
    (error: unknown) => (error as Error).message,
  );
}
