import { type ChapterId, defaultPlan, type Plan } from '@handwired/host';
import { chapters } from '../chapters.ts';
import { record } from '../record.ts';
import { mark } from '../rules.ts';
import { foldCommand, wrap } from './fold.ts';
import { type GuideLook, paint } from './paint.ts';

/** One thing of the network: what it is for, how it is made, what Docker calls it. */
export interface SummaryEntry {
  chapter: ChapterId;
  name: string;
  for: string;
  /** The step's first command; there may be another for the second container. A rule's comment is left out. */
  command: string;
  docker: string;
}

/** The whole course as the things that it makes, in the order in which they are made. */
export async function summaryOf(plan: Plan = defaultPlan): Promise<SummaryEntry[]> {
  const steps = await record(
    'build',
    plan,
    chapters.filter(({ id }) => id !== 'cleanup').map(({ id }) => id),
  );
  return steps.flatMap(({ chapter, object, commands }) => {
    const command = commands[0]?.run.cmd.replace(` ${mark.join(' ')}`, '');
    return object && command !== undefined ? [{ chapter, ...object, command }] : [];
  });
}

/** The same for a terminal, one element a line: as few lines as the width allows. */
export async function summaryLines({ plan, ...look }: GuideLook & { plan: Plan }): Promise<string[]> {
  const entries = await summaryOf(plan);
  const title = wrap(
    paint('bold', 'The network on one screen: thing, command (rules without comment), name in Docker', look),
    look.columns,
  );
  return [...title, ...entries.flatMap((entry) => linesOf(entry, look))];
}

function linesOf({ name, for: purpose, command, docker }: SummaryEntry, look: GuideLook): string[] {
  const [left, right] = [`${name}: ${purpose}`, `Docker: ${docker}`];
  const gap = look.columns - left.length - right.length;
  const bold = paint('bold', name, look) + left.slice(name.length);
  const head =
    gap >= 2 && !look.plain
      ? [`${bold}${' '.repeat(gap)}${paint('dim', right, look)}`]
      : [...wrap(bold, look.columns), ...(look.plain ? [] : wrap(paint('dim', right, look), look.columns, '  '))];
  const commands = foldCommand(command, look.plain ? Infinity : look.columns - 2).map(
    (line) => `  ${paint('cyan', line, look)}`,
  );
  return [...head, ...commands, ...(look.plain ? [`  ${right}`] : [])];
}
