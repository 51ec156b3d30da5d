import { z } from 'zod';

export const Packet = z.object({
  what: z.string().max(40),
  source: z.string().max(40),
  sourcePort: z.int(),
  target: z.string().max(40),
  targetPort: z.int(),
});
/** One packet's addresses; ports are 0 where its protocol has none. `what`: syn, syn-ack, rst, echo, query, unreachable, ... */
export type Packet = z.infer<typeof Packet>;

const Sight = Packet.extend({
  /** Seconds since the epoch, by the kernel's clock. */
  at: z.number(),
  device: z.string().max(64),
  way: z.enum(['in', 'out']),
  ttl: z.int(),
  /** Sent to another link's MAC address: a bridge's port passes it on, any other link lets it drop. */
  other: z.boolean(),
});
export type Sight = z.infer<typeof Sight>;

/** One message of nftables' trace: nf_tables_trace.c. */
const Rule = z.object({
  /** The same for all that one base chain did to one packet. */
  run: z.int(),
  table: z.string().nullable(),
  chain: z.string().nullable(),
  handle: z.number().nullable(),
  jump: z.string().nullable(),
  type: z.enum(['policy', 'return', 'rule', 'other']),
  bridge: z.boolean(),
  iif: z.int().nullable(),
  oif: z.int().nullable(),
  verdict: z.string().nullable(),
  /** As this base chain got it; null in all but a run's first. */
  packet: Packet.nullable(),
});
export type Rule = z.infer<typeof Rule>;

const Space = z.object({
  devices: z.array(z.object({ index: z.int(), name: z.string().max(64) })).max(300),
  sights: z.array(Sight).max(300),
  rules: z.array(Rule).max(600),
  /** Why nftables could not be made to trace here. */
  untraced: z.string().max(200).nullable(),
  /** More came than was kept. */
  over: z.boolean(),
  /** `conntrack -L -o extended` afterwards. */
  conntrack: z.string().max(1 << 20),
  /** Rules and policies of iptables-legacy that counted packets meanwhile; null: it has no tables here. */
  legacy: z
    .array(
      z.object({
        table: z.string().max(100),
        chain: z.string().max(100),
        rule: z.string().max(400),
        packets: z.number(),
      }),
    )
    .max(100)
    .nullable(),
});
export type Space = z.infer<typeof Space>;

/** What the tracing program answers; `spaces` by `root`, `world` and names of /run/netns. */
export const Seen = z.object({
  /** There is no namespace to send from. */
  missing: z.boolean(),
  /** What the sender itself got; null: nothing. */
  result: z.object({ ok: z.boolean(), error: z.string().max(300).nullable() }).nullable(),
  spaces: z.record(z.string(), Space),
});
export type Seen = z.infer<typeof Seen>;
