import { capturePackets, pcapngHead, pcapngPacket, parsePlace, renderRow, renderRowJson } from '@handwired/checker';
import { EXIT, LabError } from '@handwired/host';
import { Option } from 'commander';
import {
  type Context,
  Interrupted,
  type LabCommand,
  resolveLabName,
  createNameArgument,
  createOutputOption,
  createNumberParser,
} from '../command.ts';
import { withSeat } from '../lab/open.ts';

/** `lab observe`: captures at several places and shows where each packet passed. It is usually ended by Ctrl-C. */
export const command: LabCommand = {
  example:
    "lab observe --filter 'tcp port 80 or port 8080'\n  lab observe --at br0,ct1:eth0,uplink --seconds 10 -o pcap > flow.pcapng",
  declare: (command) =>
    command
      .addArgument(createNameArgument())
      .addOption(
        new Option(
          '--at <places>',
          'where to capture: links of the lab host, or NAMESPACE:LINK, with commas (default: ct1:eth0, the bridge, uplink)',
        ).argParser(parsePlaces),
      )
      .option('--filter <expression>', 'a filter of tcpdump; a packet that matches at one place is shown at all places')
      .option(
        '--seconds <n>',
        'stop after this many seconds',
        createNumberParser('--seconds', 1, 86_400, 'lab observe --help'),
      )
      .option(
        '--count <n>',
        'stop after this many packets',
        createNumberParser('--count', 1, 1_000_000, 'lab observe --help'),
      )
      .addOption(createOutputOption('text', 'pcap', 'json')),
  run: runObserve,
};

interface ObserveOptions {
  at?: string[];
  filter?: string;
  seconds?: number;
  count?: number;
  output: 'text' | 'pcap' | 'json';
}

/** Bytes that are captured of each packet: as many as a line of text shows, or all of them for a capture file. */
const HEADERS = 256;
const WHOLE = 65_535;

/** Places that may be captured at the same time. */
const MOST_PLACES = 16;

/** Bytes of output that may wait for a reader. */
const MOST_UNREAD = 64 << 20;

async function runObserve(context: Context, name: string = resolveLabName(), options: ObserveOptions): Promise<number> {
  const { filter = '', seconds, count, output } = options;
  context.resume = `lab observe ${name}`;
  if (output === 'pcap' && process.stdout.isTTY) {
    const next = `lab observe ${name} -o pcap > FILE.pcapng`;
    throw new LabError({ what: "a capture file can't be shown on a terminal", next, exit: EXIT.usage });
  }
  // `lab observe | head`: when nobody reads any more the capture ends.
  const reader = new AbortController();
  process.stdout.once('error', ({ code }: NodeJS.ErrnoException) => code === 'EPIPE' && reader.abort(new Unread()));
  await withSeat(name, context, async ({ spec: { plan }, seat }) => {
    const words = options.at ?? [`${plan.ct1.name}:${plan.inner}`, plan.bridge, 'uplink'];
    const places = words.map((word) => parsePlace(word, plan));
    const names = places.map((place) => place.name);
    let begin: number | undefined;
    const listener = {
      onReady: () => {
        context.progress.note(`capturing at ${names.join(', ')}${renderEnd(options)}`);
        if (output === 'pcap') context.write(pcapngHead(names));
      },
      onDown: (place: { name: string }) => context.progress.note(`${place.name} went down or away`),
      onRow: (row: Parameters<typeof renderRow>[0]) => {
        begin ??= Number(row.sights[0]?.at);
        if (output === 'pcap') for (const sight of row.sights) context.write(pcapngPacket(sight));
        else if (output === 'json') context.print(renderRowJson(row, { places }));
        else context.print(renderRow(row, { places, begin, color: context.color, columns: context.columns }));
        if (process.stdout.writableLength > MOST_UNREAD) reader.abort(createSlowReaderError(name));
      },
    };
    const snap = output === 'pcap' ? WHOLE : HEADERS;
    const signal = AbortSignal.any([context.signal, reader.signal]);
    const { rows, drops } = await capturePackets(seat, { places, filter, snap, seconds, count }, listener, signal);
    throwUnlessEnough(signal);
    const lost = drops.reduce((sum, some) => sum + some, 0);
    context.progress.note(
      `${rows} packet${rows === 1 ? '' : 's'} seen${lost > 0 ? `, ${lost} lost by the kernel` : ''}`,
    );
  });
  return EXIT.ok;
}

function parsePlaces(text: string): string[] {
  const places = text.split(',').map((word) => word.trim());
  if (places.length <= MOST_PLACES && places.every((word) => /^[^\s/]{1,64}$/.test(word))) return [...new Set(places)];
  throw new LabError({
    what: `--at wants 1-${MOST_PLACES} links with commas between them, not '${text.slice(0, 80)}'`,
    next: 'lab observe --at br0,ct1:eth0,uplink',
    exit: EXIT.usage,
  });
}

const createSlowReaderError = (name: string): LabError =>
  new LabError({ what: 'what is captured is read too slowly', where: 'stdout', next: `lab observe ${name} > FILE` });

/** Nobody reads stdout any more. */
class Unread extends Error {}

/** Rethrows the error that ended the capture, such as a lost connection. Ctrl-C is no error. */
function throwUnlessEnough(signal: AbortSignal): void {
  const reason: unknown = signal.reason;
  if (!(reason instanceof Interrupted) && !(reason instanceof Unread)) signal.throwIfAborted();
}

function renderEnd({ seconds, count }: ObserveOptions): string {
  const bounds = [
    ...(seconds === undefined ? [] : [`for ${seconds} s`]),
    ...(count === undefined ? [] : [`until there are ${count}`]),
  ];
  return bounds.length > 0 ? ` ${bounds.join(' or ')}` : '; Ctrl-C ends it';
}
