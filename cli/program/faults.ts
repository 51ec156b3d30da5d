import { EXIT, LabError } from '@handwired/host';
import { type Command, Option } from 'commander';
import type { InjectOptions } from '../commands/fault.ts';
import type { Context } from '../context.ts';
import { labName, oneOf } from '../options.ts';
import { command, labOption, output, type Act } from './parts.ts';

interface LabFlag {
  lab?: string;
}

const load = () => import('../commands/fault.ts');

/** `lab fault ...`: something is broken on purpose, to be found. */
export function addFaults(program: Command, context: Context, act: Act): void {
  const fault = command(
    program,
    'fault',
    'breaks what you built, and judges what you find',
    'lab fault inject && lab check && lab fault submit',
  );
  command(fault, 'list', 'what can be broken, and how hard it is to find', 'lab fault list -o json')
    .addOption(output(['text', 'json']))
    .action((options: { output: 'text' | 'json' }) =>
      act('fault list', async () => (await load()).runFaultList(context, options.output)),
    );
  addInject(fault, context, act);
  onLab(fault, 'submit [cause...]', 'name the root cause: numbers, ids or your own words', 'lab fault submit 3').action(
    (words: string[], { lab = labName() }: LabFlag) =>
      act('fault submit', async () => (await load()).runFaultSubmit(context, lab, words)),
  );
  onLab(fault, 'reveal', 'give up, and be told', 'lab fault reveal').action(({ lab = labName() }: LabFlag) =>
    act('fault reveal', async () => (await load()).runFaultReveal(context, lab)),
  );
  onLab(fault, 'repair', 'have what was revealed mended', 'lab fault repair').action(({ lab = labName() }: LabFlag) =>
    act('fault repair', async () => (await load()).runFaultRepair(context, lab)),
  );
}

function addInject(fault: Command, context: Context, act: Act): void {
  onLab(fault, 'inject [fault...]', 'break something; without a fault, one that is drawn', 'lab fault inject --level 2')
    .option('--random', 'draw one (also without a fault)')
    .addOption(
      new Option(
        '--level <level>',
        '1 one look shows it, 2 follow the packet, 3 several at once (default 1)',
      ).argParser((text: string) => Number(oneOf('level', ['1', '2', '3'], 'lab fault inject --help')(text))),
    )
    .option('--seed <text>', 'draw the same again')
    .action(async (words: string[], { lab = labName(), ...options }: LabFlag & InjectOptions) => {
      const { faults } = await import('@handwired/labs/faults');
      const ids = words.map(
        oneOf(
          'fault',
          faults.map(({ id }) => id),
          'lab fault list',
        ),
      );
      if (ids.length > 0 && (options.random === true || options.level !== undefined || options.seed !== undefined)) {
        const what = 'either faults, or --random, --level and --seed to draw one';
        throw new LabError({ what, next: 'lab fault inject --help', exit: EXIT.usage });
      }
      await act('fault inject', async () => (await load()).runFaultInject(context, lab, ids, options));
    });
}

/** A command on one lab whose words are another thing than its name. */
const onLab = (to: Command, usage: string, summary: string, example: string): Command =>
  command(to, usage, summary, example).addOption(labOption());
