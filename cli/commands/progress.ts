import { EXIT, forgetHistory, listHistories, readHistory } from '@handwired/host';
import { chapters, type Progress, progressOf } from '@handwired/labs';
import type { Context } from '../context.ts';
import { named } from '../options.ts';
import { age, renderTable } from '../table.ts';

export interface ProgressOptions {
  output: 'table' | 'json';
  /** Forget all that is kept of this lab. */
  forget?: boolean;
  /** With `forget`: of every lab. */
  all?: boolean;
}

/** `lab progress`: what was done with a lab so far, from its history alone: the lab need not exist any more. */
export async function runProgress(context: Context, name: string, options: ProgressOptions): Promise<number> {
  if (options.forget === true) {
    const names = options.all === true ? await listHistories() : [name];
    if (names.length === 0) context.print('nothing is kept of any lab');
    for (const one of names) {
      const had = await forgetHistory(one);
      context.print(had ? `what was kept of lab ${one} is forgotten` : `nothing is kept of lab ${one}`);
    }
    return EXIT.ok;
  }
  const progress = await progressNow(name);
  if (options.output === 'json') {
    context.print(JSON.stringify({ schemaVersion: 1, lab: name, ...progress }, null, 2));
  } else {
    context.print([...table(progress, context.columns), `next: lab next${named(name)}`].join('\n'));
  }
  return EXIT.ok;
}

/** How far a learner is, by the lab's history. */
export const progressNow = async (name: string): Promise<Progress> => progressOf(await readHistory(name), chapters);

/** Narrower than this, the last points are left to `-o json`. */
const columnsOfAll = 62;

function table({ chapters: each, faults, ...all }: Progress, columns: number): string[] {
  const isWide = columns >= columnsOfAll;
  const last = (text: string): string[] => (isWide ? [text] : []);
  const rows = each.map(({ number, id, state, shown, points, of, ...one }) => [
    `${number} ${id}`,
    shown ? `${state}*` : state,
    of === 0 ? '-' : `${points?.best ?? 0}/${of}`,
    ...last(points === null ? '-' : String(points.last)),
    ...numbers(one),
  ]);
  const sum = ['', 'in all', `${all.points}/${all.of}`, ...last(''), ...numbers(all)];
  const head = ['chapter', 'state', 'points', ...last('last'), 'tries', 'hints', 'time'];
  const isShown = each.some(({ shown }) => shown);
  return [
    renderTable(head, [...rows, sum]),
    ...(isShown ? ['* our solution of it was run before it passed'] : []),
    ...faultLines(faults),
  ];
}

const numbers = ({ attempts, hints, seconds }: { attempts: number; hints: number; seconds: number }): string[] => [
  ...[String(attempts), String(hints), age(seconds)],
];

function faultLines(faults: Progress['faults']): string[] {
  if (faults.length === 0) return [];
  const right = faults.filter((fault) => fault.right === true);
  const repaired = right.filter((fault) => fault.repaired === true);
  return [`faults: ${right.length} of ${faults.length} found, ${repaired.length} of those repaired`];
}
