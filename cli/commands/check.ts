import type { ChapterId } from '@handwired/host';
import { type HintLevel, renderJson, renderText } from '@handwired/checker';
import type { Context } from '../context.ts';
import { gradeLab } from '../lab/grade.ts';
import { withLock } from '../lab/lock.ts';

export interface CheckOptions {
  chapter?: ChapterId;
  through?: ChapterId;
  hints: HintLevel;
  output: 'text' | 'json';
}

/** `lab check`: grades the lab, prints the report, gives its exit code. */
export async function runCheck(context: Context, name: string, options: CheckOptions): Promise<number> {
  context.resume = `lab check ${name}`;
  const report = await withLock(name, context, () => gradeLab(name, options, context));
  if (options.output === 'json') context.print(renderJson(report).trimEnd());
  else context.print(renderText(report, { color: context.color, columns: context.columns }).trimEnd());
  return report.exit;
}
