import type { Packet } from './packet.ts';

/** A packet at one place. */
export interface Sight {
  /** Number of the place. */
  place: number;
  /** Seconds and nanoseconds since the epoch, `1795576152.748176012`. */
  at: string;
  way: 'in' | 'out';
  /** Does the filter match it here? */
  matches: boolean;
  /** Bytes on the wire, and those that were kept. */
  length: number;
  frame: Buffer;
  packet: Packet | undefined;
}

/** The same packet wherever it was seen, in order of time. */
export interface Row {
  sights: Sight[];
}

/** So long after it was seen last a packet is taken to be seen nowhere else any more, in seconds. */
const STALE = 0.3;
/** Packets that are waited for at once. */
const MOST_OPEN = 4096;

/** Lines the same packet up across places. Time comes from the packets, so that what was recorded gives the same rows. */
export class Lines {
  private readonly open = new Map<string, Row>();
  private looked = 0;

  /** Takes one more sight; gives the rows that are complete now, the oldest first. */
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

  /** All rows whose last sight is older than that moment, in seconds since the epoch. */
  due(before: number): Row[] {
    const done: Row[] = [];
    for (const [key, row] of this.open) {
      if (lastOf(row) >= before) continue;
      this.open.delete(key);
      done.push(row);
    }
    for (const row of done) row.sights.sort((a, b) => Number(a.at) - Number(b.at));
    return done.sort((a, b) => firstOf(a) - firstOf(b)).filter(({ sights }) => sights.some(({ matches }) => matches));
  }

  /** A place that has seen this packet both ways already sees another one: ARP and what has no number of its own repeat. */
  private keyOf({ packet, place, way, at }: Sight): string {
    if (packet === undefined) return `? ${place} ${at}`;
    for (let turn = 0; ; turn += 1) {
      const key = `${packet.key} ${turn}`;
      const row = this.open.get(key);
      if (!row?.sights.some((one) => one.place === place && one.way === way)) return key;
    }
  }
}

const lastOf = ({ sights }: Row): number => Number(sights.at(-1)?.at);
const firstOf = ({ sights }: Row): number => Number(sights[0]?.at);

/** One address pair of a row, and the places at which the packet had it. */
export interface Form {
  source: string;
  target: string;
  /** Which end is another than in the form before. */
  changed: ('source' | 'target')[];
  places: { place: number; way: Sight['way'] }[];
}

/** A row's address pairs in the order in which the packet had them. */
export function formsOf({ sights }: Row): Form[] {
  const forms: Form[] = [];
  for (const { packet, place, way } of sights) {
    const source = endOf(packet?.source, packet?.sourcePort);
    const target = endOf(packet?.target, packet?.targetPort);
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

const endOf = (address = '?', port = 0): string => (port === 0 ? address : `${address}:${port}`);
