import { renderTrace, renderTraceJson, traceLab } from '@handwired/checker';
import { EXIT } from '@handwired/host';
import type { Context } from '../context.ts';
import { noteHint } from '../fault/state.ts';
import { withLock } from '../lab/lock.ts';
import { withSeat } from '../lab/session.ts';
import { withSource } from '../lab/source.ts';

export interface TraceOptions {
  lab: string;
  port?: number;
  output: 'text' | 'json';
}

/** `lab trace`: sends one packet and prints its whole way. 0: it was answered; 1: it was not. */
export async function runTrace(context: Context, from: string, to: string, options: TraceOptions): Promise<number> {
  const { lab, port, output } = options;
  context.resume = `lab trace --lab ${lab} ${from} ${to}`;
  const trace = await withLock(lab, context, () =>
    withSeat(lab, context, async (open) => {
      const seen = await withSource(open, context, (source) => traceLab(source, { lab, from, to, port }));
      // Where it died is anyone's to see; why is a hint for whoever looks for a fault.
      if (seen.diagnosis !== null) await noteHint(lab);
      return seen;
    }),
  );
  context.print((output === 'json' ? renderTraceJson(trace) : renderTrace(trace, context)).trimEnd());
  return trace.end.verdict === 'answered' ? EXIT.ok : EXIT.failed;
}
