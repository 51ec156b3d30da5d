import { recordLab, renderFacts, renderRecording, takeFacts } from '@handwired/checker';
import { EXIT } from '@handwired/host';
import type { Context } from '../context.ts';
import { subjectOf } from '../lab/grade.ts';
import { withLock } from '../lab/lock.ts';
import { withSeat } from '../lab/session.ts';
import { withSource } from '../lab/source.ts';

export interface FactsOptions {
  output: 'text' | 'json';
  /** False: `--no-evidence`. */
  evidence: boolean;
}

/** `lab facts`: what the lab host's kernel state is, for people; or a recording that can be graded again, as JSON. */
export async function runFacts(context: Context, name: string, { output, evidence }: FactsOptions): Promise<number> {
  context.resume = `lab facts ${name}`;
  const text = await withLock(name, context, () =>
    withSeat(name, context, (open) =>
      withSource(open, context, async (source) =>
        output === 'json'
          ? renderRecording(await recordLab(source, subjectOf(open.spec), { evidence }))
          : renderFacts(await takeFacts(source)),
      ),
    ),
  );
  context.print(text.trimEnd());
  return EXIT.ok;
}
