import { isIPv4 } from 'node:net';
import { renderTrace, renderTraceJson, traceLab } from '@handwired/checker';
import { EXIT, trafficEnds, world } from '@handwired/host';
import { Argument } from 'commander';
import {
  type Context,
  type LabCommand,
  resolveLabName,
  createLabOption,
  createWordParser,
  createOutputOption,
  createNumberParser,
} from '../command.ts';
import { noteHint } from '../lab/fault.ts';
import { withSource } from '../lab/open.ts';

const ends = `${trafficEnds.join(', ')} or an address`;

/** `lab trace`: sends one packet and prints its whole path. Exit code 0 when it was answered, else 1. */
export const command: LabCommand = {
  example: 'lab trace ct1 internet\n  lab trace outside host --port 8080\n  lab trace ct2 1.1.1.1 --port 53',
  declare: (command) =>
    command
      .addArgument(new Argument('<from>', `the sender: ${ends}`).argParser(parseEnd))
      .addArgument(new Argument('<to>', 'the receiver: the same').argParser(parseEnd))
      .option(
        '--port <n>',
        'open a TCP connection to this port; to port 53, ask a DNS question (default: a ping)',
        createNumberParser('--port', 1, 65_535, 'lab trace --help'),
      )
      .addOption(createLabOption())
      .addOption(createOutputOption('text', 'json')),
  run: runTrace,
};

interface TraceOptions {
  lab?: string;
  port?: number;
  output: 'text' | 'json';
}

async function runTrace(context: Context, from: string, to: string, options: TraceOptions): Promise<number> {
  const { lab = resolveLabName(), port, output } = options;
  context.resume = `lab trace --lab ${lab} ${from} ${to}`;
  const trace = await withSource(lab, context, async (source) => {
    const seen = await traceLab(source, { lab, from, to, port });
    // The place where the packet was lost is no secret. The reason is a hint while a fault is looked for.
    if (seen.diagnosis !== null) await noteHint(lab);
    return seen;
  });
  context.print((output === 'json' ? renderTraceJson(trace) : renderTrace(trace, context)).trimEnd());
  return trace.end.verdict === 'answered' ? EXIT.ok : EXIT.failed;
}

function parseEnd(word: string): string {
  if (isIPv4(word)) return word;
  return word === world.site.name ? 'internet' : createWordParser('end', trafficEnds, 'lab trace --help')(word);
}
