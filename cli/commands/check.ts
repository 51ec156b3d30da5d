import { type FormatName, regradeRecording, renderMoves, renderReport, type Report } from '@handwired/checker';
import { EXIT } from '@handwired/host';
import { Option } from 'commander';
import {
  createChapterOption,
  type Context,
  type LabCommand,
  resolveLabName,
  createNameArgument,
  createWordParser,
  createOutputOption,
  renderChapterFlags,
  createThroughOption,
  createUsageError,
  createNumberParser,
} from '../command.ts';
import { noteHint } from '../lab/fault.ts';
import { gradeLab, gradeOnChange, type GradeFlags, toGradeSelection } from '../lab/grade.ts';
import { loadRecording, rememberReport, withLock } from '../lab/open.ts';

/** `lab check`: grades the lab, prints the report, gives its exit code. */
export const command: LabCommand = {
  example:
    'lab check\n  lab check --through veth\n  lab check --watch\n  lab check --facts lab.json -o html > report.html',
  declare: (command) =>
    command
      .addArgument(createNameArgument())
      .addOption(createChapterOption('only this chapter (default: all that were begun)'))
      .addOption(createThroughOption('all chapters up to this one'))
      .addOption(
        new Option(
          '--hints <level>',
          'how much to tell: 0 nothing, 1 where to look, 2 what is wrong, 3 the commands that repair it',
        )
          .env('LAB_HINTS')
          .argParser((text: string) => Number(createWordParser('level', ['0', '1', '2', '3'])(text)))
          .default(1),
      )
      .option('--fail-fast', 'stop at the first check that fails')
      .addOption(
        new Option('--facts <file>', 'grade a recording that lab facts -o json made (-: from stdin)').conflicts([
          'watch',
          'wait',
        ]),
      )
      .addOption(new Option('--watch', 'grade again at each change, and show what it changed').conflicts('wait'))
      .addOption(
        new Option('--wait [seconds]', 'grade again at each change until it passes (default 60 s)')
          .preset('60')
          .argParser(createNumberParser('--wait', 1, 86_400, 'lab check --help')),
      )
      .addOption(createOutputOption<FormatName>('text', 'json', 'junit', 'tap', 'csv', 'html')),
  run: runCheck,
};

interface CheckOptions extends GradeFlags {
  output: FormatName;
  /** The file of a recording, or `-` for stdin. It is graded in place of a lab host. */
  facts?: string;
  watch?: boolean;
  /** Seconds. */
  wait?: number;
}

async function runCheck(context: Context, given: string | undefined, options: CheckOptions): Promise<number> {
  const { facts, watch, output } = options;
  if (facts !== undefined && given !== undefined) {
    throw createUsageError(`--facts grades the recording, not lab ${given}: give one of them`, 'check');
  }
  if (watch === true && output !== 'text')
    throw createUsageError(`--watch shows changes as text, not as ${output}`, 'check');
  const name = given ?? resolveLabName();
  context.resume = `lab check ${name}${renderChapterFlags(options)}`;
  if (watch === true) {
    await countHint(context, name, options, EXIT.failed);
    return watchReport(context, name, options);
  }
  const report = await takeReport(context, name, options);
  if (facts === undefined) await countHint(context, name, options, report.exit);
  printReport(report, options, context);
  return report.exit;
}

/**
 * A report that names the cause of a failure is a hint for whoever looks for a fault. Reports in text do so from level 2
 * on, the other formats always.
 */
async function countHint(context: Context, name: string, options: CheckOptions, exit: number): Promise<void> {
  const namesCause = (options.hints ?? 1) > 1 || options.output !== 'text';
  if (namesCause && exit === EXIT.failed) await withLock(name, context, () => noteHint(name));
}

async function takeReport(context: Context, name: string, options: CheckOptions): Promise<Report> {
  const { facts, wait } = options;
  if (facts !== undefined) return regradeRecording(await loadRecording(facts), toGradeSelection(options));
  if (wait === undefined) {
    const report = await withLock(name, context, () => gradeLab(name, options, context));
    await rememberReport(name, report, context);
    return report;
  }
  const done = ({ exit }: Report): boolean => exit === EXIT.ok;
  return gradeOnChange(name, options, context, { done, ms: wait * 1000 });
}

/** Prints the whole report once, and then what changes in it, until it is interrupted. */
async function watchReport(context: Context, name: string, options: CheckOptions): Promise<number> {
  let before: Report | undefined;
  const { exit } = await gradeOnChange(name, options, context, {
    done: (report) => {
      const moves = before === undefined ? undefined : renderMoves(before, report);
      if (moves === undefined) printReport(report, options, context);
      else if (moves !== '') context.print(moves.trimEnd());
      before = report;
      return false;
    },
  });
  return exit;
}

function printReport(report: Report, { output }: CheckOptions, context: Context): void {
  const { color, columns } = context;
  context.print(renderReport(report, output, { color, columns }).trimEnd());
}
