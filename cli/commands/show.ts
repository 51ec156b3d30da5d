import { showLab, showJson } from '@handwired/checker';
import { EXIT, type ChapterId } from '@handwired/host';
import { drawTopology, inForm } from '@handwired/labs';
import type { Context } from '../context.ts';
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
    withSeat(name, context, (open) => withSource(open, context, (source) => showLab(source, through))),
  );
  if (output === 'json') context.print(showJson(topology).trimEnd());
  else {
    const form = output === 'text' && plain ? 'plain' : output;
    const head = { id: 'lab', title: `The network of lab ${name}` };
    context.print(inForm(drawTopology(topology), form, head, { columns: context.columns, color: context.color }));
  }
  return EXIT.ok;
}
