import type { FormatName } from '@handwired/checker';
import { EXIT, LabError } from '@handwired/host';
import { Option, type Command } from 'commander';
import type { CheckOptions } from '../commands/check.ts';
import type { DiffOptions } from '../commands/diff.ts';
import type { FactsOptions } from '../commands/facts.ts';
import type { Context } from '../context.ts';
import { labName, parseWait } from '../options.ts';
import { chapterOption, hintsOption, labCommand, output, throughOption, type Act } from './parts.ts';

const formats: [FormatName, ...FormatName[]] = ['text', 'json', 'junit', 'tap', 'csv', 'html'];

/** Commands that look at the lab host and say what is there. */
export function addGrading(program: Command, context: Context, act: Act): void {
  addCheck(labCommand(program, 'check', 'grade it; without a flag every chapter that was begun', checkExample))
    .addOption(output(formats))
    .action((name: string | undefined, options: CheckOptions) => {
      checkSense(name, options);
      return act('check', async () =>
        (await import('../commands/check.ts')).runCheck(context, name ?? labName(), options),
      );
    });
  labCommand(program, 'facts', 'what is on the lab host; -o json: a recording to grade later', factsExample)
    .option('--no-evidence', 'make no experiments (only with -o json)')
    .addOption(output(['text', 'json']))
    .action((name: string = labName(), options: FactsOptions) => {
      if (!options.evidence && options.output === 'text') {
        throw senseless('--no-evidence goes with -o json: no experiments are made for the text', 'facts');
      }
      return act('facts', async () => (await import('../commands/facts.ts')).runFacts(context, name, options));
    });
  labCommand(program, 'diff', 'what has changed on the lab host, and whose it is', 'lab diff --since earlier.json')
    .addOption(new Option('--since <file>', 'a recording of lab facts, or baseline').default('baseline'))
    .addOption(output(['text', 'json']))
    .action((name: string = labName(), options: DiffOptions) =>
      act('diff', async () => (await import('../commands/diff.ts')).runDiff(context, name, options)),
    );
}

const checkExample =
  'lab check --through veth\n  lab check --watch\n  lab check --facts lab.json -o html > report.html';
const factsExample = 'lab facts -o json > lab.json && lab check --facts lab.json';

function addCheck(to: Command): Command {
  return to
    .addOption(chapterOption('this chapter alone'))
    .addOption(throughOption('all chapters up to this one'))
    .addOption(hintsOption())
    .option('--fail-fast', 'stop at the first check that fails')
    .addOption(new Option('--facts <file>', 'grade a recording of lab facts, - for stdin').conflicts(['watch', 'wait']))
    .addOption(new Option('--watch', 'grade again at each change, and show what it changed').conflicts('wait'))
    .addOption(
      new Option('--wait [seconds]', 'grade again at each change until it passes (default 60 s)')
        .preset('60')
        .argParser(parseWait),
    );
}

/** What conflicts of options can't say. */
function checkSense(name: string | undefined, { facts, watch, output: format }: CheckOptions): void {
  if (facts !== undefined && name !== undefined) {
    throw senseless(`--facts grades the recording, not lab ${name}: give one of them`, 'check');
  }
  if (watch === true && format !== 'text') throw senseless(`--watch shows changes as text, not as ${format}`, 'check');
}

const senseless = (what: string, command: string): LabError =>
  new LabError({ what, next: `lab ${command} --help`, exit: EXIT.usage });
