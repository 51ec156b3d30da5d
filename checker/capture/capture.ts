import { EXIT, LabError, type OpenSeat, type Plan, world } from '@handwired/host';
import { closest } from 'fastest-levenshtein';
import { z } from 'zod';
import { streamRemote } from '../remote.ts';
import { parseFrame } from './packet.ts';
import { Lines, type Row, type Sight } from './rows.ts';

/** A link to capture at: as it is typed, and where it is. `space`: `root` or a name of /run/netns. */
export interface Place {
  name: string;
  space: string;
  device: string;
}

export interface CaptureWanted {
  places: readonly Place[];
  /** In tcpdump's language (pcap-filter(7)); empty: everything. A packet is told at all places if it matches at one. */
  filter: string;
  /** Bytes kept of each packet. */
  snap: number;
  /** At most so many seconds, and so many rows. */
  seconds: number | undefined;
  count: number | undefined;
}

/** How a capture ended. */
export interface Captured {
  rows: number;
  /** Packets that the kernel could not keep, by place. */
  drops: number[];
}

/** `br0`, `ct1:eth0`, `uplink`; a container's name alone is its link in the plan. */
export function placeOf(word: string, { ct1, ct2, inner }: Plan): Place {
  if (word === 'uplink') return { name: word, space: 'root', device: world.uplink.name };
  if (word === ct1.name || word === ct2.name) return { name: `${word}:${inner}`, space: word, device: inner };
  const [first = '', ...rest] = word.split(':');
  if (rest.length === 0) return { name: word, space: 'root', device: word };
  return { name: word, space: first === 'host' ? 'root' : first, device: rest.join(':') };
}

const Packet = z.tuple([
  z.int().min(0),
  z.string().regex(/^\d{1,12}\.\d{9}$/),
  z.enum(['in', 'out']),
  z.int(),
  z.boolean(),
  z.base64().max(90_000),
]);
const Known = z.record(z.string(), z.array(z.string().max(64)).max(200));
const Word = z.union([
  z.object({ ready: z.literal(true) }),
  z.object({ trouble: z.literal('filter'), said: z.string().max(300) }),
  z.object({ trouble: z.literal('place'), place: z.tuple([z.string(), z.string()]), known: Known }),
  z.object({ down: z.int() }),
  z.object({ end: z.array(z.number()).max(64) }),
  Packet,
]);
type Word = z.infer<typeof Word>;

export interface Listener {
  onReady: () => void;
  onRow: (row: Row) => void;
  /** A place's link went down or away. */
  onDown: (place: Place) => void;
}

/**
 * Captures at several places at once until it is enough, or `signal` aborts, which is no error: what was seen is told.
 * Throws LabError: a place that does not exist, a filter that does not parse (64), a lab host that does not answer.
 */
export async function capture(
  seat: OpenSeat,
  wanted: CaptureWanted,
  { onReady, onRow, onDown }: Listener,
  signal: AbortSignal,
): Promise<Captured> {
  const lines = new Lines();
  const state = { rows: 0, drops: [] as number[], trouble: undefined as LabError | undefined, whole: false };
  const enough = Promise.withResolvers<undefined>();
  let heard = performance.now();
  const rows = (found: Row[]): void => {
    for (const row of found) {
      if (state.rows >= (wanted.count ?? Infinity)) {
        enough.resolve(undefined);
        return;
      }
      state.rows += 1;
      onRow(row);
    }
    if (state.rows >= (wanted.count ?? Infinity)) enough.resolve(undefined);
  };
  const hear = (word: Word): void => {
    if (Array.isArray(word)) rows(lines.take(sightOf(word)));
    else if ('ready' in word) onReady();
    else if ('trouble' in word) state.trouble = troubleOf(word, wanted);
    else if ('down' in word) onDown(wanted.places[word.down] ?? placeless);
    else Object.assign(state, { drops: word.end, whole: true });
  };
  const program = await streamRemote(seat, 'capture', parameters(wanted), (line) => {
    heard = performance.now();
    const word = Word.safeParse(json(line));
    if (word.success) hear(word.data);
  });
  // The packets' own clock is the lab host's: where none comes any more, this one tells that a row is complete.
  const timer = setInterval(() => performance.now() - heard > QUIET_MS && rows(lines.due(Infinity)), QUIET_MS);
  const stop = (): void => enough.resolve(undefined);
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  try {
    const said = await Promise.race([program.ended, enough.promise]);
    if (state.trouble) throw state.trouble;
    if (said !== undefined && !state.whole) {
      const what = `the capture ended by itself${said && `: ${said}`}`;
      throw new LabError({ what, next: 'lab reset' });
    }
    rows(lines.due(Infinity));
    return { rows: state.rows, drops: state.drops };
  } finally {
    clearInterval(timer);
    signal.removeEventListener('abort', stop);
    program.close();
  }
}

const QUIET_MS = 400;
const placeless: Place = { name: '?', space: 'root', device: '?' };

const parameters = ({ places, filter, snap, seconds }: CaptureWanted): Record<string, unknown> => ({
  at: places.map(({ space, device }) => [space, device]),
  ...{ filter, snap, seconds: seconds ?? null, world: null },
});

function sightOf([place, at, way, length, matches, data]: z.infer<typeof Packet>): Sight {
  const frame = Buffer.from(data, 'base64');
  return { place, at, way, length, matches, frame, packet: parseFrame(frame) };
}

function troubleOf(word: Extract<Word, { trouble: string }>, { places, filter }: CaptureWanted): LabError {
  if (word.trouble === 'filter') {
    const what = `the filter '${filter.slice(0, 200)}' does not parse: ${word.said}`;
    return new LabError({ what, next: "lab observe --filter 'tcp port 80 or icmp'", exit: EXIT.usage });
  }
  const { place, known } = word;
  const typed = places.find(({ space, device }) => space === place[0] && device === place[1])?.name ?? place.join(':');
  const all = Object.entries(known).flatMap(([space, devices]) =>
    devices.map((device) => (space === 'root' ? device : `${space}:${device}`)),
  );
  const what = `there is no link ${typed} on the lab host (did you mean ${closest(typed, all)}?); it has: ${all.slice(0, 40).join(' ')}`;
  return new LabError({ what, next: 'lab observe --help', exit: EXIT.usage });
}

function json(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
