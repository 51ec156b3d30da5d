/** Who a packet is from and for; ports where its protocol has them. */
export interface Tuple {
  source: string;
  sourcePort?: number | undefined;
  destination: string;
  destinationPort?: number | undefined;
}

/** Where a packet can be seen: tcpdump would show these addresses there. */
export interface Place {
  kind: 'place';
  /** The network namespace, or who it is. */
  zone: string;
  device: string | null;
  there: Seen;
  back: Seen;
}

/** A packet at a place; `changed`: the fields that were not so at the place before. */
export interface Seen extends Tuple {
  changed: ('source' | 'destination')[];
}

/** What happens between two places: the hook, and what it does to a packet there and to its answer. */
export interface Hook {
  kind: 'hook';
  there: Act;
  back: Act;
}

export interface Act {
  /** `POSTROUTING`, ... */
  hook: string;
  text: string;
}

/** One packet's way and its answer's, which is the same way back. */
export interface Flow {
  title: string;
  steps: (Place | Hook)[];
}

/** A step before it is known what the packet looks like there. */
export type Station =
  | { kind: 'place'; zone: string; device: string | null }
  | { kind: 'hook'; there: Act; back: Act; change?: (packet: Tuple) => Tuple };

/**
 * The way of a packet through its stations. The answer has everywhere the packet's own addresses the other way round:
 * connection tracking undoes each change at the hook where the answer passes by (net/netfilter/nf_nat_proto.c: nf_nat_ipv4_ops).
 */
export function flowOf(title: string, first: Tuple, stations: readonly Station[]): Flow {
  let packet = first;
  const raw = stations.map((station) => {
    if (station.kind === 'place') return { ...station, packet };
    packet = station.change?.(packet) ?? packet;
    return { kind: 'hook' as const, there: station.there, back: station.back };
  });
  const places = raw.flatMap((step) => (step.kind === 'place' ? [step.packet] : []));
  let at = -1;
  const steps = raw.map((step): Place | Hook => {
    if (step.kind === 'hook') return step;
    at += 1;
    const here = step.packet;
    const there = seen(here, places[at - 1] ?? here);
    const back = seen(reverse(here), reverse(places[at + 1] ?? here));
    return { kind: 'place', zone: step.zone, device: step.device, there, back };
  });
  return { title, steps };
}

const reverse = ({ source, sourcePort, destination, destinationPort }: Tuple): Tuple => ({
  ...{ source: destination, sourcePort: destinationPort },
  ...{ destination: source, destinationPort: sourcePort },
});

const seen = (packet: Tuple, before: Tuple): Seen => ({
  ...packet,
  changed: (['source', 'destination'] as const).filter((field) => endOf(packet, field) !== endOf(before, field)),
});

/** `ADDRESS:PORT` of one end. */
export function endOf(packet: Tuple, field: 'source' | 'destination'): string {
  const port = field === 'source' ? packet.sourcePort : packet.destinationPort;
  return `${packet[field]}${port === undefined ? '' : `:${port}`}`;
}
