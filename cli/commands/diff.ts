import { changesOf, type Facts, isWhole, renderChanges, renderChangesJson, takeFacts } from '@handwired/checker';
import { EXIT, LabError } from '@handwired/host';
import type { Context } from '../context.ts';
import { withLock } from '../lab/lock.ts';
import { loadRecording } from '../lab/recording.ts';
import { withSeat } from '../lab/session.ts';
import { withSource } from '../lab/source.ts';

export interface DiffOptions {
  /** `baseline`, or the file of a recording. */
  since: string;
  output: 'text' | 'json';
}

/** `lab diff`: what has changed on the lab host, and whose each change is. */
export async function runDiff(context: Context, name: string, { since, output }: DiffOptions): Promise<number> {
  context.resume = `lab diff ${name}`;
  const earlier = since === 'baseline' ? undefined : await factsIn(since);
  const changes = await withLock(name, context, () =>
    withSeat(name, context, (open) =>
      withSource(open, context, async (source) => {
        const facts = await takeFacts(source);
        return changesOf(earlier ?? source.baseline, { ...source, facts });
      }),
    ),
  );
  const render = output === 'json' ? renderChangesJson : renderChanges;
  context.print(render({ lab: name, since, changes }).trimEnd());
  return EXIT.ok;
}

async function factsIn(file: string): Promise<Facts> {
  const recording = await loadRecording(file);
  if (isWhole(recording)) return recording.facts;
  throw new LabError({ what: 'the recording was altered', where: file, next: 'lab facts -o json > FILE' });
}
