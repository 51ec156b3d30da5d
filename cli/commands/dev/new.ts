import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chapterIds, EXIT, LabError, run } from '@handwired/host';
import { Argument, Option } from 'commander';
import { type Context, type LabCommand, createWordParser, createUsageError } from '../../command.ts';
import {
  type Change,
  idPatterns,
  type Kind,
  kinds,
  readCauseLists,
  type Skeleton,
  writeCause,
  writeChapter,
  writeCheck,
  writeFault,
} from '../../dev/skeletons.ts';

const root = new URL('../../../', import.meta.url);

/** `lab dev new`: writes the skeleton of a check, a cause, a fault or a chapter into this checkout, with a test that fails till it is filled in. */
export const command: LabCommand = {
  example: 'lab dev new check bridge.stp && lab dev check bridge.stp',
  declare: (command) =>
    command
      .addArgument(new Argument('<kind>', kinds.join(', ')).argParser(createWordParser('kind', kinds)))
      .argument('<id>', 'what it is called')
      .addOption(new Option('--in <list>', 'of a cause: the list of checker/diagnosis/causes/ that it goes into')),
  run: runNew,
};

async function runNew(context: Context, kind: Kind, id: string, { in: list }: { in?: string }): Promise<number> {
  const { pattern, like } = idPatterns[kind];
  if (!pattern.test(id))
    throw createUsageError(`'${id.slice(0, 80)}' can't be the id of a ${kind}; one is ${like}`, 'dev new');
  const { changes, steps } = planSkeleton(kind, id, list);
  const edited = await readEdits(changes);
  for (const change of changes) if ('move' in change) await rename(resolvePath(change.move), resolvePath(change.to));
  for (const [path, text] of edited) {
    await mkdir(dirname(fileURLToPath(resolvePath(path))), { recursive: true });
    await writeFile(resolvePath(path), text);
  }
  const touched = [...edited.keys()];
  await run(['node_modules/.bin/biome', 'format', '--write', ...touched], {
    cwd: fileURLToPath(root),
    allowFailure: true,
  });
  for (const path of touched) context.print(path);
  for (const change of changes) if ('move' in change) context.print(`${change.move} -> ${change.to}`);
  context.print([...steps.map((step) => `\n${step}`), `\nnext: lab dev check ${id}`].join(''));
  return EXIT.ok;
}

function planSkeleton(kind: Kind, id: string, list: string | undefined): Skeleton {
  if (kind === 'check') {
    const [chapter = ''] = id.split('.');
    if (!chapterIds.some((one) => one === chapter)) {
      throw createUsageError(
        `there is no chapter ${chapter}: a check's id is CHAPTER.NAME, with one of ${chapterIds.join(', ')}`,
        'dev new',
      );
    }
    return writeCheck(id);
  }
  if (kind === 'fault') return writeFault(id);
  if (kind === 'chapter') {
    if (chapterIds.some((one) => one === id)) throw taken(`chapter ${id}`);
    return writeChapter(id);
  }
  const lists = readCauseLists(root);
  const path = lists.get(list ?? '');
  if (list === undefined || path === undefined) {
    throw createUsageError(`a cause goes into a list of causes: --in ${[...lists.keys()].join('|')}`, 'dev new');
  }
  return writeCause(id, list, path);
}

/** The texts of all files that are written or changed. Throws LabError, before anything is written, for what is there already. */
async function readEdits(changes: readonly Change[]): Promise<Map<string, string>> {
  const edited = new Map<string, string>();
  // A file in a folder that moves is read where it is now.
  const moves = changes.filter((change) => 'move' in change);
  const placeNow = (path: string): string => {
    const move = moves.find(({ to }) => path.startsWith(`${to}/`));
    return move ? move.move + path.slice(move.to.length) : path;
  };
  for (const change of changes) {
    if ('write' in change) {
      if (existsSync(resolvePath(change.write))) throw taken(change.write);
      edited.set(change.write, change.text);
    }
    if ('change' in change) {
      const text = change.edit(await readFile(resolvePath(placeNow(change.change)), 'utf8'));
      if (text === undefined) {
        throw new LabError({
          what: 'the place for a new entry was not found',
          where: change.change,
          next: 'git diff   (was the list at its end changed?)',
        });
      }
      edited.set(change.change, text);
    }
  }
  return edited;
}

const taken = (what: string): LabError =>
  new LabError({ what: `${what} is there already`, next: 'lab dev new --help', exit: EXIT.usage });

const resolvePath = (path: string): URL => new URL(path, root);
