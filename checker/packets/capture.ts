import { EXIT, LabError, type OpenSeat, type Plan, world } from '@handwired/host';
import { closest } from 'fastest-levenshtein';
import { z } from 'zod';
import { type Packet, parseFrame } from '../facts/pcap.ts';
import { streamRemote } from '../remote.ts';

/** One packet as it was seen at one place. */
export interface Sight {
  /** Index of the place. */
  place: number;
  /** Seconds and nanoseconds since the epoch, `1795576152.748176012`. */
  at: string;
  way: 'in' | 'out';
  /** Does the filter match it here? */
  matches: boolean;
  /** `length` counts the bytes on the wire; `frame` has the bytes that were kept. */
  length: number;
  frame: Buffer;
  packet: Packet | undefined;
}

/** All sights of one packet, in order of time. */
export interface Row {
  sights: Sight[];
}

/** Seconds. A packet that was seen nowhere for this long has ended: no more sights of it are waited for. */
const STALE = 0.3;
/** At most this many packets wait for more sights at once. */
const MOST_OPEN = 4096;

/** Groups the sights of each packet into a row. The packets' own times count, so a recording gives the same rows. */
export class Lines {
  private readonly open = new Map<string, Row>();
  private looked = 0;

  /** Takes one more sight. Gives the rows that are complete now, the oldest first. */
  take(sight: Sight): Row[] {
    const now = Number(sight.at);
    const row = this.open.get(this.keyOf(sight));
    if (row) row.sights.push(sight);
    else this.open.set(this.keyOf(sight), { sights: [sight] });
    if (this.open.size > MOST_OPEN) return this.due(Infinity);
    if (now - this.looked < STALE / 3) return [];
    this.looked = now;
    return this.due(now - STALE);
  }

  /** Gives all rows whose last sight is before this time, in seconds since the epoch. */
  due(before: number): Row[] {
    const done: Row[] = [];
    for (const [key, row] of this.open) {
      if (findLast(row) >= before) continue;
      this.open.delete(key);
      done.push(row);
    }
    for (const row of done) row.sights.sort((a, b) => Number(a.at) - Number(b.at));
    return done
      .sort((a, b) => findFirst(a) - findFirst(b))
      .filter(({ sights }) => sights.some(({ matches }) => matches));
  }

  /**
   * Finds the row's key. The same place and direction twice means a new packet: ARP and others repeat without a number.
   */
  private keyOf({ packet, place, way, at }: Sight): string {
    if (packet === undefined) return `? ${place} ${at}`;
    for (let turn = 0; ; turn += 1) {
      const key = `${packet.key} ${turn}`;
      const row = this.open.get(key);
      if (!row?.sights.some((one) => one.place === place && one.way === way)) return key;
    }
  }
}

const findLast = ({ sights }: Row): number => Number(sights.at(-1)?.at);
const findFirst = ({ sights }: Row): number => Number(sights[0]?.at);

/** One address pair of a row, and the places at which the packet had it. */
interface Form {
  source: string;
  target: string;
  /** The ends that differ from the form before. */
  changed: ('source' | 'target')[];
  places: { place: number; way: Sight['way'] }[];
}

/** A row's address pairs in the order in which the packet had them. */
export function listForms({ sights }: Row): Form[] {
  const forms: Form[] = [];
  for (const { packet, place, way } of sights) {
    const source = renderEnd(packet?.source, packet?.sourcePort);
    const target = renderEnd(packet?.target, packet?.targetPort);
    const last = forms.at(-1);
    if (last?.source === source && last.target === target) last.places.push({ place, way });
    else {
      const changed = last
        ? (['source', 'target'] as const).filter((end) => last[end] !== { source, target }[end])
        : [];
      forms.push({ source, target, changed, places: [{ place, way }] });
    }
  }
  return forms;
}

const renderEnd = (address = '?', port = 0): string => (port === 0 ? address : `${address}:${port}`);

/** One block of pcapng: draft-ietf-opsawg-pcapng. Little endian, times in nanoseconds. */
function block(type: number, body: Buffer): Buffer {
  const padded = Math.ceil(body.length / 4) * 4;
  const whole = Buffer.alloc(padded + 12);
  whole.writeUInt32LE(type, 0);
  whole.writeUInt32LE(whole.length, 4);
  body.copy(whole, 8);
  whole.writeUInt32LE(whole.length, whole.length - 4);
  return whole;
}

function option(code: number, value: Buffer): Buffer {
  const whole = Buffer.alloc(4 + Math.ceil(value.length / 4) * 4);
  whole.writeUInt16LE(code, 0);
  whole.writeUInt16LE(value.length, 2);
  value.copy(whole, 4);
  return whole;
}

const lastOption = Buffer.alloc(4);

/** The blocks before the packets: a section header, and an interface description with the name of each place. */
export function pcapngHead(places: readonly string[]): Buffer {
  const section = Buffer.alloc(16);
  section.writeUInt32LE(0x1a2b3c4d, 0);
  section.writeUInt16LE(1, 4);
  section.writeBigInt64LE(-1n, 8);
  const made = option(4, Buffer.from('handwired lab observe'));
  const interfaces = places.map((name) => {
    const head = Buffer.alloc(8);
    head.writeUInt16LE(1, 0);
    head.writeUInt32LE(262144, 4);
    const resolution = option(9, Buffer.from([9]));
    return block(1, Buffer.concat([head, option(2, Buffer.from(name)), resolution, lastOption]));
  });
  return Buffer.concat([block(0x0a0d0d0a, Buffer.concat([section, made, lastOption])), ...interfaces]);
}

/** One sight as an enhanced packet block, with its direction. */
export function pcapngPacket({ place, at, way, length, frame }: Sight): Buffer {
  const [seconds = '0', rest = '0'] = at.split('.');
  const time = BigInt(seconds) * 1_000_000_000n + BigInt(rest);
  const head = Buffer.alloc(20);
  head.writeUInt32LE(place, 0);
  head.writeUInt32LE(Number(time >> 32n), 4);
  head.writeUInt32LE(Number(time & 0xffffffffn), 8);
  head.writeUInt32LE(frame.length, 12);
  head.writeUInt32LE(Math.max(length, frame.length), 16);
  const padding = Buffer.alloc((4 - (frame.length % 4)) % 4);
  const flags = Buffer.alloc(4);
  flags.writeUInt32LE(way === 'in' ? 1 : 2);
  return block(6, Buffer.concat([head, frame, padding, option(2, flags), lastOption]));
}

/** A link to capture at. `name` is what the user typed; `space` is `root` or a name of /run/netns. */
export interface Place {
  name: string;
  space: string;
  device: string;
}

/** Which packets are captured, where and for how long. */
export interface CaptureWanted {
  places: readonly Place[];
  /** A filter of tcpdump (pcap-filter(7)); empty: everything. A packet that matches at one place is shown at all. */
  filter: string;
  /** Bytes kept of each packet. */
  snap: number;
  /** The capture ends after this many seconds, or this many rows; undefined: no limit. */
  seconds: number | undefined;
  count: number | undefined;
}

/** How a capture ended. */
export interface Captured {
  rows: number;
  /** Packets that the kernel dropped, by place. */
  drops: number[];
}

/** Parses `br0`, `ct1:eth0` or `uplink`. A container's name alone means its link in the plan. */
export function parsePlace(word: string, { ct1, ct2, inner }: Plan): Place {
  if (word === 'uplink') return { name: word, space: 'root', device: world.uplink.name };
  if (word === ct1.name || word === ct2.name) return { name: `${word}:${inner}`, space: word, device: inner };
  const [first = '', ...rest] = word.split(':');
  if (rest.length === 0) return { name: word, space: 'root', device: word };
  return { name: word, space: first === 'host' ? 'root' : first, device: rest.join(':') };
}

const PacketWord = z.tuple([
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
  PacketWord,
]);
type Word = z.infer<typeof Word>;

/** Callbacks of a running capture. */
export interface Listener {
  onReady: () => void;
  onRow: (row: Row) => void;
  /** A place's link went down or was deleted. */
  onDown: (place: Place) => void;
}

/**
 * Captures at several places at once, until a limit is reached or `signal` aborts. An abort is not an error: the
 * packets seen so far are reported.
 * Throws LabError when a place does not exist, the filter does not parse (64), or the lab host does not answer.
 */
export async function capturePackets(
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
    if (Array.isArray(word)) rows(lines.take(makeSight(word)));
    else if ('ready' in word) onReady();
    else if ('trouble' in word) state.trouble = describeTrouble(word, wanted);
    else if ('down' in word) onDown(wanted.places[word.down] ?? placeless);
    else Object.assign(state, { drops: word.end, whole: true });
  };
  const program = await streamRemote(seat, 'capture', parameters(wanted), (line) => {
    heard = performance.now();
    const word = Word.safeParse(json(line));
    if (word.success) hear(word.data);
  });
  // Packets carry the lab host's time. When no more packets come, our own clock decides that rows are complete.
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
  filter,
  snap,
  seconds: seconds ?? null,
  world: null,
});

function makeSight([place, at, way, length, matches, data]: z.infer<typeof PacketWord>): Sight {
  const frame = Buffer.from(data, 'base64');
  return { place, at, way, length, matches, frame, packet: parseFrame(frame) };
}

function describeTrouble(word: Extract<Word, { trouble: string }>, { places, filter }: CaptureWanted): LabError {
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
