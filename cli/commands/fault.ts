import { randomInt } from 'node:crypto';
import { EXIT, type ExitCode, LabError } from '@handwired/host';
import { faults, type Level } from '@handwired/labs/faults';
import type { Context } from '../context.ts';
import { type BothWays, withBothWays } from '../fault/grade.ts';
import { asked, inject, take, type Wanted } from '../fault/inject.ts';
import { repair, reveal } from '../fault/reveal.ts';
import { findFault, noFault, type OpenFault } from '../fault/state.ts';
import { submit } from '../fault/submit.ts';
import { labFlag, named } from '../options.ts';

const levels: Record<Level, string> = {
  1: 'one look shows it',
  2: 'it takes following the packet',
  3: 'it misleads; at this level several are put in at once, of every level',
};

/** `lab fault list`: what can be put in, and nothing of what is. */
export function runFaultList(context: Context, output: 'text' | 'json'): number {
  const rows = faults
    .map(({ id, level, needs, machine = null, conditions = {}, title }) => ({
      id,
      level,
      needs,
      machine,
      conditions,
      title,
    }))
    .sort((a, b) => a.level - b.level || (a.id < b.id ? -1 : 1));
  if (output === 'json') context.print(JSON.stringify({ schemaVersion: 1, faults: rows }, null, 2));
  else {
    const wide = Math.max(...rows.map(({ id }) => id.length)) + 2;
    for (const level of [1, 2, 3] as const) {
      const own = rows.filter((row) => row.level === level);
      if (own.length > 0) context.print(`level ${level}: ${levels[level]}`);
      for (const { id, title } of own) {
        const fits = 2 + wide + title.length <= context.columns;
        context.print(fits ? `  ${id.padEnd(wide)}${title}` : `  ${id}\n    ${title}`);
      }
    }
  }
  return EXIT.ok;
}

export interface InjectOptions {
  random?: boolean;
  level?: Level;
  seed?: string;
}

/** `lab fault inject`: breaks what is built, and does not say what. */
export async function runFaultInject(
  context: Context,
  name: string,
  ids: readonly string[],
  { level = 1, seed = String(randomInt(1_000_000)) }: InjectOptions,
): Promise<number> {
  context.resume = `lab fault inject${labFlag(name)}   (goes on from here)`;
  if (ids.length > 0) asked(ids);
  const wanted: Wanted = ids.length > 0 ? { ids } : { level, seed };
  return withBothWays(name, context, async (lab) => {
    const before = await findFault(name);
    if (before?.phase === 'open') throw stillOpen(before, name);
    const open =
      (before?.phase === 'injecting' ? await finished(lab, before, context) : undefined) ??
      (await context.progress.stage('fault put in', () => inject(lab, wanted, context)));
    context.print(told(open, name));
    return EXIT.ok;
  });
}

/** An injection that was cut off, gone on with; undefined: it could not take hold. */
async function finished(lab: BothWays, before: OpenFault, context: Context): Promise<OpenFault | undefined> {
  context.progress.note('an injection was cut off: finishing it first');
  return take(lab, before, context);
}

function told({ ids, seed, level }: OpenFault, name: string): string {
  const count = ids.length === 1 ? 'a fault is' : `${ids.length} faults are`;
  const it = ids.length === 1 ? 'it' : 'them';
  const by = seed === [...ids].sort().join(' ') ? '' : `, seed ${seed}`;
  return [
    `${count} in place (level ${level}${by})`,
    `next: lab check${named(name)}, find ${it}, mend ${it}; then lab fault submit${labFlag(name)}`,
  ].join('\n');
}

const stillOpen = ({ injectedAt, ids }: OpenFault, name: string): LabError =>
  new LabError({
    what: `${ids.length === 1 ? 'a fault is' : `${ids.length} faults are`} in place already, since ${injectedAt}`,
    where: name,
    next: `lab fault submit${labFlag(name)}   (lab fault reveal gives up)`,
    exit: EXIT.usage,
  });

/** `lab fault submit`: says what the root cause is, and is told whether it is, and whether it is mended. */
export const runFaultSubmit = (context: Context, name: string, words: readonly string[]): Promise<number> =>
  onOpen(context, name, 'submit', (lab, open) => {
    if (open.phase === 'open') return submit(lab, open, words, context);
    throw new LabError({
      what: 'this fault was revealed, which counts as given up',
      where: name,
      next: `lab fault inject${labFlag(name)}`,
      exit: EXIT.usage,
    });
  });

/** `lab fault reveal`: gives up, and is told. */
export const runFaultReveal = (context: Context, name: string): Promise<number> =>
  onOpen(context, name, 'reveal', (lab, open) => reveal(lab, open, context));

/** `lab fault repair`: has what was revealed mended. */
export const runFaultRepair = (context: Context, name: string): Promise<number> =>
  onOpen(context, name, 'repair', (lab, open) => {
    if (open.phase === 'revealed') return repair(lab, open, context);
    throw new LabError({
      what: 'the fault is still to be found',
      where: name,
      next: `lab fault reveal${labFlag(name)}   (gives up)`,
      exit: EXIT.usage,
    });
  });

async function onOpen(
  context: Context,
  name: string,
  verb: string,
  work: (lab: BothWays, open: OpenFault) => Promise<ExitCode>,
): Promise<number> {
  context.resume = `lab fault ${verb}${labFlag(name)}`;
  return withBothWays(name, context, async (lab) => {
    const before = await findFault(name);
    const open = before?.phase === 'injecting' ? await finished(lab, before, context) : before;
    if (!open) throw noFault(name);
    return work(lab, open);
  });
}
