import type { ChapterId } from '@handwired/host';
import { type FormatName, type HintLevel, renderReport } from '@handwired/checker';
import type { Context } from '../context.ts';
import { gradeLab } from '../lab/grade.ts';
import { withLock } from '../lab/lock.ts';

export interface CheckOptions {
  chapter?: ChapterId;
  through?: ChapterId;
  hints: HintLevel;
  output: FormatName;
}

/** `lab check`: grades the lab, prints the report, gives its exit code. */
export async function runCheck(context: Context, name: string, options: CheckOptions): Promise<number> {
  context.resume = `lab check ${name}`;
  const report = await withLock(name, context, () => gradeLab(name, options, context));
  const { color, columns } = context;
  context.print(renderReport(report, options.output, { color, columns }).trimEnd());
  return report.exit;
}
