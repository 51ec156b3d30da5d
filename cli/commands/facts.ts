import { recordLab, renderFacts, renderRecording, takeFacts } from '@handwired/checker';
import { EXIT } from '@handwired/host';
import {
  type Context,
  type LabCommand,
  resolveLabName,
  createNameArgument,
  createOutputOption,
  createUsageError,
} from '../command.ts';
import { withSource } from '../lab/open.ts';

/** `lab facts`: shows the lab host's network. As JSON it is a recording that can be graded again. */
export const command: LabCommand = {
  example: 'lab facts -o json > lab.json && lab check --facts lab.json',
  declare: (command) =>
    command
      .addArgument(createNameArgument())
      .option('--no-evidence', 'make no experiments (only with -o json)')
      .addOption(createOutputOption('text', 'json')),
  run: runFacts,
};

interface FactsOptions {
  output: 'text' | 'json';
  /** false: `--no-evidence`. */
  evidence: boolean;
}

async function runFacts(
  context: Context,
  name: string = resolveLabName(),
  { output, evidence }: FactsOptions,
): Promise<number> {
  if (!evidence && output === 'text') {
    throw createUsageError('--no-evidence goes with -o json: no experiments are made for the text', 'facts');
  }
  context.resume = `lab facts ${name}`;
  const text = await withSource(name, context, async (source) =>
    output === 'json'
      ? renderRecording(await recordLab(source, { lab: name, driver: source.spec.driver }, { evidence }))
      : renderFacts(await takeFacts(source)),
  );
  context.print(text.trimEnd());
  return EXIT.ok;
}
