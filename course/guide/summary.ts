/** The whole course on one screen. */
import { type ChapterId, type Plan } from '@handwired/host';
import type { Course } from '../chapter.ts';
import { mark } from '../commands.ts';
import { recordSteps } from '../run.ts';
import { foldCommand, type GuideLook, paint, wrap } from './terminal.ts';

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
export function summarize({ chapters }: Pick<Course, 'chapters'>, plan: Plan): SummaryEntry[] {
  return recordSteps('build', plan, chapters).flatMap(({ chapter, object, commands }) => {
    const command = commands[0]?.run.cmd.replace(` ${mark.join(' ')}`, '');
    return object && command !== undefined ? [{ chapter, ...object, command }] : [];
  });
}

/** The same for a terminal, one element a line: as few lines as the width allows. */
export function summaryLines(course: Course, { plan, ...look }: GuideLook & { plan: Plan }): string[] {
  const entries = summarize(course, plan);
  const title = wrap(
    paint('bold', 'The network on one screen: thing, command (rules without comment), name in Docker', look),
    look.columns,
  );
  return [...title, ...entries.flatMap((entry) => entryLines(entry, look))];
}

function entryLines({ name, for: purpose, command, docker }: SummaryEntry, look: GuideLook): string[] {
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
