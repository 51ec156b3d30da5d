import { compareLab, renderComparison, renderComparisonJson } from '@handwired/checker';
import { EXIT, LabError } from '@handwired/host';
import { chapters } from '@handwired/labs';
import { type Context, type LabCommand, resolveLabName, createNameArgument, createOutputOption } from '../command.ts';
import { withSource } from '../lab/open.ts';

/**
 * `lab compare`: compares the learner's container with Docker's. Exit code 0 when each difference is explained, else
 * 1.
 */
export const command: LabCommand = {
  example: 'lab build --chapter docker && lab compare',
  declare: (command) => command.addArgument(createNameArgument()).addOption(createOutputOption('text', 'json')),
  run: runCompare,
};

async function runCompare(
  context: Context,
  name: string = resolveLabName(),
  { output }: { output: 'text' | 'json' },
): Promise<number> {
  context.resume = `lab compare ${name}`;
  const found = await withSource(name, context, compareLab);
  if (typeof found === 'string') throw createMissingError(found, name);
  const text =
    output === 'json'
      ? renderComparisonJson(found, findDockerStep, name)
      : renderComparison(found, findDockerStep, context);
  context.print(text.trimEnd());
  const strange = found.unexplained.length > 0 || found.objects.some(({ verdict }) => verdict === 'unexplained');
  return strange ? EXIT.failed : EXIT.ok;
}

/** What Docker does instead of a step of ours. The step is given as `CHAPTER/STEP`. */
function findDockerStep(place: string): { does: string; source: string } | undefined {
  const [chapter, step] = place.split('/');
  return chapters.find(({ id }) => id === chapter)?.steps.find(({ id }) => id === step)?.docker;
}

const createMissingError = (side: 'yours' | 'docker', name: string): LabError =>
  new LabError({
    what: side === 'yours' ? 'you have no container yet that could be compared' : 'no container of a Docker runs here',
    where: `lab ${name}`,
    next: side === 'yours' ? `lab next ${name}` : `lab build ${name} --chapter docker`,
    exit: EXIT.nothing,
  });
