import { listChanges, type Facts, isWhole, renderChanges, renderChangesJson, takeFacts } from '@handwired/checker';
import { EXIT, LabError } from '@handwired/host';
import { Option } from 'commander';
import { type Context, type LabCommand, resolveLabName, createNameArgument, createOutputOption } from '../command.ts';
import { loadRecording, withSource } from '../lab/open.ts';

/** `lab diff`: lists what has changed on the lab host, and to whom each change belongs. */
export const command: LabCommand = {
  example: 'lab diff\n  lab diff --since earlier.json',
  declare: (command) =>
    command
      .addArgument(createNameArgument())
      .addOption(
        new Option('--since <file>', 'compare with this recording of lab facts -o json, or with the baseline').default(
          'baseline',
        ),
      )
      .addOption(createOutputOption('text', 'json')),
  run: runDiff,
};

interface DiffOptions {
  /** `baseline`, or the file of a recording. */
  since: string;
  output: 'text' | 'json';
}

async function runDiff(
  context: Context,
  name: string = resolveLabName(),
  { since, output }: DiffOptions,
): Promise<number> {
  context.resume = `lab diff ${name}`;
  const earlier = since === 'baseline' ? undefined : await loadRecordedFacts(since);
  const changes = await withSource(name, context, async (source) => {
    const facts = await takeFacts(source);
    return listChanges(earlier ?? source.baseline, { ...source, facts });
  });
  const render = output === 'json' ? renderChangesJson : renderChanges;
  context.print(render({ lab: name, since, changes }).trimEnd());
  return EXIT.ok;
}

/** The facts in a recording. Throws LabError when its digest does not fit them. */
async function loadRecordedFacts(file: string): Promise<Facts> {
  const recording = await loadRecording(file);
  if (isWhole(recording)) return recording.facts;
  throw new LabError({ what: 'the recording was altered', where: file, next: 'lab facts -o json > FILE' });
}
