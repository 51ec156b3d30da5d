/** The whole course on one screen. */
import { type ChapterId, type Plan } from '@handwired/host';
import type { Course } from '../chapter.ts';
import { mark } from '../commands.ts';
import { recordSteps } from '../run.ts';
import { foldCommand, type GuideStyle, paint, wrapText } from './terminal.ts';

/** One object of the network: its purpose, the command that makes it, and its name in Docker. */
export interface SummaryEntry {
  chapter: ChapterId;
  name: string;
  for: string;
  /** The step's first command; there may be another for the second container. A rule's comment is left out. */
  command: string;
  docker: string;
}

/** The objects that the course makes, in the order in which they are made. */
export function summarizeCourse({ chapters }: Pick<Course, 'chapters'>, plan: Plan): SummaryEntry[] {
  return recordSteps('build', plan, chapters).flatMap(({ chapter, object, commands }) => {
    const command = commands[0]?.run.cmd.replace(` ${mark.join(' ')}`, '');
    return object && command !== undefined ? [{ chapter, ...object, command }] : [];
  });
}

/** The summary for a terminal, one element a line, in as few lines as the width allows. */
export function summaryLines(course: Course, { plan, ...style }: GuideStyle & { plan: Plan }): string[] {
  const entries = summarizeCourse(course, plan);
  const title = wrapText(
    paint('bold', 'The network on one screen: thing, command (rules without comment), name in Docker', style),
    style.columns,
  );
  return [...title, ...entries.flatMap((entry) => renderEntry(entry, style))];
}

function renderEntry({ name, for: purpose, command, docker }: SummaryEntry, style: GuideStyle): string[] {
  const [left, right] = [`${name}: ${purpose}`, `Docker: ${docker}`];
  const gap = style.columns - left.length - right.length;
  const bold = paint('bold', name, style) + left.slice(name.length);
  const head =
    gap >= 2 && !style.plain
      ? [`${bold}${' '.repeat(gap)}${paint('dim', right, style)}`]
      : [
          ...wrapText(bold, style.columns),
          ...(style.plain ? [] : wrapText(paint('dim', right, style), style.columns, '  ')),
        ];
  const commands = foldCommand(command, style.plain ? Infinity : style.columns - 2).map(
    (line) => `  ${paint('cyan', line, style)}`,
  );
  return [...head, ...commands, ...(style.plain ? [`  ${right}`] : [])];
}
