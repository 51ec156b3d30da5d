import { compareLab, renderComparison, renderComparisonJson } from '@handwired/checker';
import { EXIT, LabError } from '@handwired/host';
import { chapters } from '@handwired/labs';
import type { Context } from '../context.ts';
import { withLock } from '../lab/lock.ts';
import { withSeat } from '../lab/session.ts';
import { withSource } from '../lab/source.ts';

export interface CompareOptions {
  output: 'text' | 'json';
}

/** `lab compare`: the learner's container beside Docker's. 0: each difference is explained; 1: one is not. */
export async function runCompare(context: Context, name: string, { output }: CompareOptions): Promise<number> {
  context.resume = `lab compare ${name}`;
  const found = await withLock(name, context, () =>
    withSeat(name, context, (open) => withSource(open, context, (source) => compareLab(source))),
  );
  if (typeof found === 'string') throw missing(found, name);
  const text = output === 'json' ? renderComparisonJson(found, told, name) : renderComparison(found, told, context);
  context.print(text.trimEnd());
  const strange = found.unexplained.length > 0 || found.objects.some(({ verdict }) => verdict === 'unexplained');
  return strange ? EXIT.failed : EXIT.ok;
}

/** What Docker does in the place of `chapter/step`. */
function told(place: string): { does: string; source: string } | undefined {
  const [chapter, step] = place.split('/');
  return chapters.find(({ id }) => id === chapter)?.steps.find(({ id }) => id === step)?.docker;
}

const missing = (side: 'yours' | 'docker', name: string): LabError =>
  new LabError({
    what: side === 'yours' ? 'you have no container yet that could be compared' : 'no container of a Docker runs here',
    where: `lab ${name}`,
    next: side === 'yours' ? `lab next ${name}` : `lab build ${name} --chapter docker`,
    exit: EXIT.nothing,
  });
