import { EXIT, forgetHistory, listHistories, readHistory } from '@handwired/host';
import { chapters, type Progress, addUpProgress } from '@handwired/labs';
import { Option } from 'commander';
import {
  type Context,
  type LabCommand,
  resolveLabName,
  createNameArgument,
  createOutputOption,
  renderName,
  createUsageError,
} from '../command.ts';
import { formatAge, renderTable } from '../text.ts';

/**
 * `lab progress`: shows what was done with a lab. It reads the lab's history only, so the lab need not exist any
 * more.
 */
export const command: LabCommand = {
  example: 'lab progress\n  lab progress -o json',
  declare: (command) =>
    command
      .addArgument(createNameArgument())
      .addOption(createOutputOption('table', 'json'))
      .addOption(new Option('--forget', 'delete what is kept about this lab').conflicts('output'))
      .option('--all', 'with --forget: about every lab'),
  run: runProgress,
};

interface ProgressOptions {
  output: 'table' | 'json';
  forget?: boolean;
  all?: boolean;
}

async function runProgress(context: Context, given: string | undefined, options: ProgressOptions): Promise<number> {
  const { output, forget = false, all = false } = options;
  if (all && (!forget || given !== undefined))
    throw createUsageError('--all goes with --forget, and without a name', 'progress');
  const name = given ?? resolveLabName();
  if (forget) {
    await forgetLabs(all ? await listHistories() : [name], context);
    return EXIT.ok;
  }
  const progress = await readProgress(name);
  if (output === 'json') context.print(JSON.stringify({ schemaVersion: 1, lab: name, ...progress }, null, 2));
  else context.print([...renderProgress(progress, context.columns), `next: lab next${renderName(name)}`].join('\n'));
  return EXIT.ok;
}

async function forgetLabs(names: readonly string[], context: Context): Promise<void> {
  if (names.length === 0) context.print('nothing is kept of any lab');
  for (const name of names) {
    const had = await forgetHistory(name);
    context.print(had ? `what was kept of lab ${name} is forgotten` : `nothing is kept of lab ${name}`);
  }
}

/** How far a learner is, by the lab's history. */
export const readProgress = async (name: string): Promise<Progress> => addUpProgress(await readHistory(name), chapters);

/** Columns that the whole table needs. On a narrower terminal only `-o json` has the last points. */
const WIDE = 62;

function renderProgress({ chapters: each, faults, ...all }: Progress, columns: number): string[] {
  const isWide = columns >= WIDE;
  const showWide = (text: string): string[] => (isWide ? [text] : []);
  const rows = each.map(({ number, id, state, shown, points, of, ...one }) => [
    `${number} ${id}`,
    shown ? `${state}*` : state,
    of === 0 ? '-' : `${points?.best ?? 0}/${of}`,
    ...showWide(points === null ? '-' : String(points.last)),
    ...renderNumbers(one),
  ]);
  const sum = ['', 'in all', `${all.points}/${all.of}`, ...showWide(''), ...renderNumbers(all)];
  const head = ['chapter', 'state', 'points', ...showWide('last'), 'tries', 'hints', 'time'];
  const isShown = each.some(({ shown }) => shown);
  return [
    renderTable(head, [...rows, sum]),
    ...(isShown ? ['* our solution of it was run before it passed'] : []),
    ...renderFaults(faults),
  ];
}

function renderNumbers({ attempts, hints, seconds }: { attempts: number; hints: number; seconds: number }): string[] {
  return [String(attempts), String(hints), formatAge(seconds)];
}

function renderFaults(faults: Progress['faults']): string[] {
  if (faults.length === 0) return [];
  const right = faults.filter((fault) => fault.right === true);
  const repaired = right.filter((fault) => fault.repaired === true);
  return [`faults: ${right.length} of ${faults.length} found, ${repaired.length} of those repaired`];
}
