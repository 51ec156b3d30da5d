import { capture, pcapngHead, pcapngPacket, placeOf, renderRow, renderRowJson } from '@handwired/checker';
import { EXIT, LabError } from '@handwired/host';
import type { Context } from '../context.ts';
import { Interrupted } from '../report.ts';
import { withSeat } from '../lab/session.ts';

export interface ObserveOptions {
  at?: string[];
  filter?: string;
  seconds?: number;
  count?: number;
  output: 'text' | 'pcap' | 'json';
}

/** Bytes kept of a packet: its headers and what tells it again; a capture file has all of it. */
const HEADERS = 256;
const WHOLE = 65_535;

/** `lab observe`: what passes at several places, the same packet lined up. Ctrl-C is its ordinary end. */
export async function runObserve(context: Context, name: string, options: ObserveOptions): Promise<number> {
  const { filter = '', seconds, count, output } = options;
  context.resume = `lab observe ${name}`;
  if (output === 'pcap' && process.stdout.isTTY) {
    const next = `lab observe ${name} -o pcap > FILE.pcapng`;
    throw new LabError({ what: 'a capture file is nothing for a terminal', next, exit: EXIT.usage });
  }
  // `lab observe | head`: nobody reads any more, so it has been enough.
  const reader = new AbortController();
  process.stdout.once('error', ({ code }: NodeJS.ErrnoException) => code === 'EPIPE' && reader.abort(new Unread()));
  await withSeat(name, context, async ({ spec: { plan }, seat }) => {
    const words = options.at ?? [`${plan.ct1.name}:${plan.inner}`, plan.bridge, 'uplink'];
    const places = words.map((word) => placeOf(word, plan));
    const names = places.map((place) => place.name);
    let begin: number | undefined;
    const listener = {
      onReady: () => {
        context.progress.note(`capturing at ${names.join(', ')}${until(options)}`);
        if (output === 'pcap') context.write(pcapngHead(names));
      },
      onDown: (place: { name: string }) => context.progress.note(`${place.name} went down or away`),
      onRow: (row: Parameters<typeof renderRow>[0]) => {
        begin ??= Number(row.sights[0]?.at);
        if (output === 'pcap') for (const sight of row.sights) context.write(pcapngPacket(sight));
        else if (output === 'json') context.print(renderRowJson(row, { places }));
        else context.print(renderRow(row, { places, begin, color: context.color, columns: context.columns }));
        if (process.stdout.writableLength > MOST_UNREAD) reader.abort(tooSlow(name));
      },
    };
    const snap = output === 'pcap' ? WHOLE : HEADERS;
    const signal = AbortSignal.any([context.signal, reader.signal]);
    const { rows, drops } = await capture(seat, { places, filter, snap, seconds, count }, listener, signal);
    stopUnlessInterrupted(signal);
    const lost = drops.reduce((sum, some) => sum + some, 0);
    context.progress.note(
      `${rows} packet${rows === 1 ? '' : 's'} seen${lost > 0 ? `, ${lost} lost by the kernel` : ''}`,
    );
  });
  return EXIT.ok;
}

/** Bytes of output that may wait for whoever reads it. */
const MOST_UNREAD = 64 << 20;

const tooSlow = (name: string): LabError =>
  new LabError({ what: 'what is captured is read too slowly', where: 'stdout', next: `lab observe ${name} > FILE` });

/** Nobody reads stdout any more. */
class Unread extends Error {}

/** A full disk or a lost connection is an error; that the learner has seen enough is none. */
function stopUnlessInterrupted(signal: AbortSignal): void {
  const reason: unknown = signal.reason;
  if (!(reason instanceof Interrupted) && !(reason instanceof Unread)) signal.throwIfAborted();
}

function until({ seconds, count }: ObserveOptions): string {
  const bounds = [
    ...(seconds === undefined ? [] : [`for ${seconds} s`]),
    ...(count === undefined ? [] : [`until there are ${count}`]),
  ];
  return bounds.length > 0 ? ` ${bounds.join(' or ')}` : '; Ctrl-C ends it';
}
