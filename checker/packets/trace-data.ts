import { z } from 'zod';
import { Connection } from '../facts/firewall.ts';

/** A packet of a trace, as agent/trace.py tells it. */
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

/** What is to be sent, and from where. */
const Errand = z.object({
  /** `root`, `world` or a name of /run/netns. */
  in: z.string(),
  /** The address to send from; null: the kernel chooses. */
  from: z.string().nullable(),
  to: z.string(),
  /** An echo request without a port; a DNS question to port 53; else a TCP connection. */
  kind: z.enum(['icmp', 'tcp', 'udp']),
  /** 0 without one. */
  port: z.int(),
});
export type Errand = z.infer<typeof Errand>;

const At = z.object({
  /** `host`, `the world` or a name of /run/netns. */
  in: z.string(),
  /** On the way of the answer. */
  back: z.boolean(),
  packet: Packet,
  /** What is another address or port than at the step before: `source was 172.18.0.11`. */
  changed: z.array(z.string()),
});

/** The packet on a link. */
const LinkStep = At.extend({
  kind: z.literal('link'),
  device: z.string(),
  way: z.enum(['in', 'out']),
  ttl: z.int(),
});
export type LinkStep = z.infer<typeof LinkStep>;

/** What one base chain did to it. */
const ChainStep = At.extend({
  kind: z.literal('chain'),
  /** `ip nat`; the family is `?` where the facts don't have the table. */
  table: z.string(),
  chain: z.string(),
  hook: z.string().nullable(),
  /** The rules that matched, in their order, also in chains that were jumped to. */
  rules: z.array(z.object({ chain: z.string(), rule: z.string(), verdict: z.string() })),
  /** How it ended: `accept`, `drop`, ... */
  verdict: z.string(),
  /** No rule ended it: the chain's policy did. */
  byPolicy: z.boolean(),
});
export type ChainStep = z.infer<typeof ChainStep>;

const Step = z.discriminatedUnion('kind', [LinkStep, ChainStep]);
export type Step = z.infer<typeof Step>;

/** How a packet ended. */
const End = z.object({
  /** `answered`; `refused`: somebody said no; `lost`: nothing came back. */
  verdict: z.enum(['answered', 'refused', 'lost']),
  /** A sentence: where, and what speaks for it. */
  because: z.string(),
  /** What was found; null: nothing says why, or there is nothing to say. */
  cause: z
    .enum([
      'rule',
      'policy',
      'legacy',
      'forwarding',
      'routing',
      'no-route',
      'no-listener',
      'unreachable',
      'no-neighbour',
      'not-translated',
    ] as const)
    .nullable(),
});
export type End = z.infer<typeof End>;

/** One packet's whole way: what `lab trace -o json` prints. */
export const Trace = z.object({
  schemaVersion: z.literal(1),
  lab: z.string(),
  /** As they were typed. */
  from: z.string(),
  to: z.string(),
  errand: Errand,
  steps: z.array(Step),
  /** What conntrack of each namespace noted of it. */
  connections: z.array(z.object({ in: z.string(), connection: Connection })),
  end: End,
  /** What the checker's diagnosis says of this path. */
  diagnosis: z.object({ cause: z.string(), hop: z.string(), seen: z.array(z.string()), wrong: z.string() }).nullable(),
  /** What could not be seen. */
  notes: z.array(z.string()),
});
export type Trace = z.infer<typeof Trace>;
