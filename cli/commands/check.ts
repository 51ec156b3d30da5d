import { type FormatName, regrade, renderMoves, renderReport, type Report } from '@handwired/checker';
import { EXIT } from '@handwired/host';
import type { Context } from '../context.ts';
import { noteHint } from '../fault/state.ts';
import { asFlags } from '../lab/chapters.ts';
import { gradeLab, type GradeFlags, selectionOf } from '../lab/grade.ts';
import { rememberReport } from '../lab/history.ts';
import { withLock } from '../lab/lock.ts';
import { loadRecording } from '../lab/recording.ts';
import { gradeOnChange } from '../lab/watch.ts';

export interface CheckOptions extends GradeFlags {
  output: FormatName;
  /** File of a recording, `-` for stdin: graded in place of a lab host. */
  facts?: string;
  watch?: boolean;
  /** Seconds. */
  wait?: number;
}

/** `lab check`: grades the lab, prints the report, gives its exit code. */
export async function runCheck(context: Context, name: string, options: CheckOptions): Promise<number> {
  context.resume = `lab check ${name}${asFlags(options)}`;
  if (options.watch === true) {
    await countHint(context, name, options, EXIT.failed);
    return watch(context, name, options);
  }
  const report = await reportFor(context, name, options);
  if (options.facts === undefined) await countHint(context, name, options, report.exit);
  show(report, options, context);
  return report.exit;
}

/** What says the cause of a failure is a hint for whoever looks for a fault: a level above 1, or more than the text has. */
async function countHint(context: Context, name: string, options: CheckOptions, exit: number): Promise<void> {
  const tells = (options.hints ?? 1) > 1 || options.output !== 'text';
  if (tells && exit === EXIT.failed) await withLock(name, context, () => noteHint(name));
}

async function reportFor(context: Context, name: string, options: CheckOptions): Promise<Report> {
  const { facts, wait } = options;
  if (facts !== undefined) return regrade(await loadRecording(facts), selectionOf(options));
  if (wait === undefined) {
    const report = await withLock(name, context, () => gradeLab(name, options, context));
    await rememberReport(name, report, context);
    return report;
  }
  const done = ({ exit }: Report): boolean => exit === EXIT.ok;
  return gradeOnChange(name, options, context, { done, ms: wait * 1000 });
}

/** The whole report once, and then what has changed in it, until it is interrupted. */
async function watch(context: Context, name: string, options: CheckOptions): Promise<number> {
  let before: Report | undefined;
  const { exit } = await gradeOnChange(name, options, context, {
    done: (report) => {
      if (before === undefined) show(report, options, context);
      else print(renderMoves(before, report), context);
      before = report;
      return false;
    },
  });
  return exit;
}

function show(report: Report, { output }: CheckOptions, context: Context): void {
  const { color, columns } = context;
  context.print(renderReport(report, output, { color, columns }).trimEnd());
}

function print(text: string, context: Context): void {
  if (text !== '') context.print(text.trimEnd());
}
