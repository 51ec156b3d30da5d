import { showLab, showJson } from '@handwired/checker';
import { type ChapterId, EXIT, hasMarks, LabError } from '@handwired/host';
import { drawTopology, renderDrawing } from '@handwired/labs';
import {
  type Context,
  type LabCommand,
  resolveLabName,
  createNameArgument,
  createOutputOption,
  createThroughOption,
} from '../command.ts';
import { noteHint } from '../lab/fault.ts';
import { withSource } from '../lab/open.ts';

/** `lab show`: draws the network as it is now, and marks what is missing, wrong or beyond the plan. */
export const command: LabCommand = {
  example: 'lab show\n  lab show -o svg > network.svg',
  declare: (command) =>
    command
      .addArgument(createNameArgument())
      .addOption(createThroughOption('compare with the network after this chapter (default: the last one begun)'))
      .option('--plain', 'print lines of ASCII, not a drawing, for a screen reader (only with -o text)')
      .addOption(createOutputOption('text', 'svg', 'mermaid', 'json')),
  run: runShow,
};

interface ShowOptions {
  output: 'text' | 'svg' | 'mermaid' | 'json';
  through?: ChapterId;
  plain?: boolean;
}

async function runShow(context: Context, name: string = resolveLabName(), options: ShowOptions): Promise<number> {
  const { output, through, plain = false } = options;
  if (plain && output !== 'text') {
    const what = `--plain goes with -o text, not with ${output}`;
    throw new LabError({ what, next: 'lab show --plain', exit: EXIT.usage });
  }
  context.resume = `lab show ${name}`;
  const topology = await withSource(name, context, async (source) => {
    const drawn = await showLab(source, through);
    // A drawing alone tells no secret. Marks that say what is wrong are a hint while a fault is looked for.
    if (hasMarks(drawn)) await noteHint(name);
    return drawn;
  });
  if (output === 'json') context.print(showJson(topology).trimEnd());
  else {
    const form = output === 'text' && plain ? 'plain' : output;
    const head = { id: 'lab', title: `The network of lab ${name}` };
    context.print(
      renderDrawing(drawTopology(topology), form, head, { columns: context.columns, color: context.color }),
    );
  }
  return EXIT.ok;
}
