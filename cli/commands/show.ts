import { showLab, showJson } from '@handwired/checker';
import { EXIT, hasMarks, type ChapterId } from '@handwired/host';
import { drawTopology, inForm } from '@handwired/labs';
import type { Context } from '../context.ts';
import { noteHint } from '../fault/state.ts';
import { withLock } from '../lab/lock.ts';
import { withSeat } from '../lab/session.ts';
import { withSource } from '../lab/source.ts';

export interface ShowOptions {
  output: 'text' | 'svg' | 'mermaid' | 'json';
  through?: ChapterId;
  plain?: boolean;
}

/** `lab show`: draws the network as it is now, with what is missing, wrong or beyond the plan marked. */
export async function runShow(context: Context, name: string, options: ShowOptions): Promise<number> {
  context.resume = `lab show ${name}`;
  const { output, through, plain = false } = options;
  const topology = await withLock(name, context, () =>
    withSeat(name, context, async (open) => {
      const drawn = await withSource(open, context, (source) => showLab(source, through));
      // What is there is anyone's to see; what is wrong with it is a hint for whoever looks for a fault.
      if (hasMarks(drawn)) await noteHint(name);
      return drawn;
    }),
  );
  if (output === 'json') context.print(showJson(topology).trimEnd());
  else {
    const form = output === 'text' && plain ? 'plain' : output;
    const head = { id: 'lab', title: `The network of lab ${name}` };
    context.print(inForm(drawTopology(topology), form, head, { columns: context.columns, color: context.color }));
  }
  return EXIT.ok;
}
