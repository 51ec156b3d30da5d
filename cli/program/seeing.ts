import { isIPv4 } from 'node:net';
import { EXIT, LabError, trafficEnds, world } from '@handwired/host';
import { Argument, Option, type Command } from 'commander';
import type { CompareOptions } from '../commands/compare.ts';
import type { ObserveOptions } from '../commands/observe.ts';
import type { TraceOptions } from '../commands/trace.ts';
import type { ShowOptions } from '../commands/show.ts';
import type { Context } from '../context.ts';
import { labName, oneOf, parsePort, parseRows, parseSeconds } from '../options.ts';
import { command, labCommand, labOption, output, throughOption, type Act } from './parts.ts';

const traceExample = 'lab trace ct1 internet\n  lab trace outside host --port 8080\n  lab trace ct2 1.1.1.1 --port 53';

const observeExample =
  "lab observe --filter 'tcp port 80 or port 8080'\n  lab observe --at br0,ct1:eth0,uplink --seconds 10 -o pcap > flow.pcapng";
const placesHelp =
  'links, as br0,ct1:eth0,uplink: of the lab host, or NAMESPACE:LINK (default: ct1:eth0, the bridge, uplink)';

/** Commands that show packets on their way. */
export function addSeeing(program: Command, context: Context, act: Act): void {
  addShow(program, context, act);
  addObserve(program, context, act);
  addTrace(program, context, act);
  addCompare(program, context, act);
}

/** Packets as they pass. */
function addObserve(program: Command, context: Context, act: Act): void {
  labCommand(program, 'observe', 'capture at several places at once and line the same packet up', observeExample)
    .addOption(new Option('--at <places>', placesHelp).argParser(parsePlaces))
    .option('--filter <expression>', "in tcpdump's words; what matches at one place is shown at all of them")
    .option('--seconds <n>', 'end after so long', parseSeconds)
    .option('--count <n>', 'end after so many packets', parseRows)
    .addOption(output(['text', 'pcap', 'json']))
    .action((name: string = labName(), options: ObserveOptions) =>
      act('observe', async () => (await import('../commands/observe.ts')).runObserve(context, name, options)),
    );
}

/** One packet's way. */
function addTrace(program: Command, context: Context, act: Act): void {
  const what = `${trafficEnds.join(', ')} or an address`;
  command(
    program,
    'trace',
    'send one packet and print its whole way: links, rules, what changed it, where it died',
    traceExample,
  )
    .addArgument(new Argument('<from>', `who sends it: ${what}`).argParser(parseEnd))
    .addArgument(new Argument('<to>', 'who is to get it: the same').argParser(parseEnd))
    .option('--port <n>', 'a TCP connection to this port, a DNS question to 53 (default: a ping)', parsePort)
    .addOption(labOption())
    .addOption(output(['text', 'json']))
    .action((from: string, to: string, options: Omit<TraceOptions, 'lab'> & { lab?: string }) =>
      act('trace', async () =>
        (await import('../commands/trace.ts')).runTrace(context, from, to, {
          ...options,
          lab: options.lab ?? labName(),
        }),
      ),
    );
}

/** The network as a drawing. */
function addShow(program: Command, context: Context, act: Act): void {
  labCommand(
    program,
    'show',
    'draw the network as it is now, what is missing or wrong marked',
    'lab show -o svg > network.svg',
  )
    .addOption(throughOption('the chapter whose work is to be there (default: the last one begun)'))
    .option('--plain', 'lines of ASCII in place of a drawing, for a screen reader (only with -o text)')
    .addOption(output(['text', 'svg', 'mermaid', 'json']))
    .action((name: string = labName(), options: ShowOptions) => {
      if (options.plain === true && options.output !== 'text') {
        const what = `--plain goes with -o text, not with ${options.output}`;
        throw new LabError({ what, next: 'lab show --plain', exit: EXIT.usage });
      }
      return act('show', async () => (await import('../commands/show.ts')).runShow(context, name, options));
    });
}

/** Chapter docker's question. */
function addCompare(program: Command, context: Context, act: Act): void {
  const summary = "your build beside Docker's, object by object: what is the same, what differs and why";
  labCommand(program, 'compare', summary, 'lab build --chapter docker && lab compare')
    .addOption(output(['text', 'json']))
    .action((name: string = labName(), options: CompareOptions) =>
      act('compare', async () => (await import('../commands/compare.ts')).runCompare(context, name, options)),
    );
}

function parseEnd(word: string): string {
  if (isIPv4(word)) return word;
  return word === world.site.name ? 'internet' : oneOf('end', trafficEnds, 'lab trace --help')(word);
}

/** At most so many places are captured at once. */
const mostPlaces = 16;

function parsePlaces(text: string): string[] {
  const places = text.split(',').map((word) => word.trim());
  if (places.length <= mostPlaces && places.every((word) => /^[^\s/]{1,64}$/.test(word))) return [...new Set(places)];
  throw new LabError({
    what: `--at wants 1-${mostPlaces} links with commas between them, not '${text.slice(0, 80)}'`,
    next: 'lab observe --at br0,ct1:eth0,uplink',
    exit: EXIT.usage,
  });
}
