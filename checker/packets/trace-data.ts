import { z } from 'zod';
import { Connection } from '../facts/firewall.ts';

/** A packet in the output of agent/trace.py. */
export const Packet = z.object({
  what: z.string().max(40),
  source: z.string().max(40),
  sourcePort: z.int(),
  target: z.string().max(40),
  targetPort: z.int(),
});
/** One packet's addresses. Ports are 0 if its protocol has none. `what`: syn, syn-ack, rst, echo, query, ... */
export type Packet = z.infer<typeof Packet>;

const Sight = Packet.extend({
  /** Seconds since the epoch, by the kernel's clock. */
  at: z.number(),
  device: z.string().max(64),
  way: z.enum(['in', 'out']),
  ttl: z.int(),
  /** It is addressed to another link's MAC address. A bridge's port forwards such a frame; any other link drops it. */
  other: z.boolean(),
});
export type Sight = z.infer<typeof Sight>;

/** One message of nftables' tracing: nf_tables_trace.c. */
const Rule = z.object({
  /** Number of the run: all messages of one base chain about one packet have the same. */
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
  /** The packet as it reached the base chain; null in all messages but the first of a run. */
  packet: Packet.nullable(),
});
export type Rule = z.infer<typeof Rule>;

const Space = z.object({
  devices: z.array(z.object({ index: z.int(), name: z.string().max(64) })).max(300),
  sights: z.array(Sight).max(300),
  rules: z.array(Rule).max(600),
  /** Why nftables could not trace here; null: it could. */
  untraced: z.string().max(200).nullable(),
  /** There were more packets or messages than are kept. */
  over: z.boolean(),
  /** Output of `conntrack -L -o extended` after the trace. */
  conntrack: z.string().max(1 << 20),
  /** Rules and policies of iptables-legacy whose counters grew during the trace; null: it has no tables here. */
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

/** The answer of agent/trace.py. Keys of `spaces` are `root`, `world` and names of /run/netns. */
export const Seen = z.object({
  /** The namespace to send from does not exist. */
  missing: z.boolean(),
  /** The sender's result; null: none. */
  result: z.object({ ok: z.boolean(), error: z.string().max(300).nullable() }).nullable(),
  spaces: z.record(z.string(), Space),
});
export type Seen = z.infer<typeof Seen>;

/** The packet to send, and the namespace to send it from. */
const Errand = z.object({
  /** `root`, `world` or a name of /run/netns. */
  in: z.string(),
  /** The address to send from; null: the kernel chooses. */
  from: z.string().nullable(),
  to: z.string(),
  /** An echo request without a port; a DNS question to port 53; else a TCP connection. */
  kind: z.enum(['icmp', 'tcp', 'udp']),
  /** 0: the packet has no port. */
  port: z.int(),
});
export type Errand = z.infer<typeof Errand>;

const At = z.object({
  /** `host`, `the world` or a name of /run/netns. */
  in: z.string(),
  /** True: the step is on the way of the answer. */
  back: z.boolean(),
  packet: Packet,
  /** Addresses and ports that differ from the step before: `source was 172.18.0.11`. */
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

/** What one base chain did with the packet. */
const ChainStep = At.extend({
  kind: z.literal('chain'),
  /** Family and name: `ip nat`. The family is `?` when the facts lack the table. */
  table: z.string(),
  chain: z.string(),
  hook: z.string().nullable(),
  /** The rules that matched, in order, including those in chains that were jumped to. */
  rules: z.array(z.object({ chain: z.string(), rule: z.string(), verdict: z.string() })),
  /** The chain's verdict: `accept`, `drop`, ... */
  verdict: z.string(),
  /** True: the chain's policy decided, not a rule. */
  byPolicy: z.boolean(),
});
export type ChainStep = z.infer<typeof ChainStep>;

const Step = z.discriminatedUnion('kind', [LinkStep, ChainStep]);
export type Step = z.infer<typeof Step>;

/** How a packet ended. */
const End = z.object({
  /** `answered`; `refused`: an error or refusal came back; `lost`: nothing came back. */
  verdict: z.enum(['answered', 'refused', 'lost']),
  /** A sentence: where the packet ended, and the evidence. */
  because: z.string(),
  /** The reason; null: not known, or there is nothing to explain. */
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
  /** Sender and destination as the user typed them. */
  from: z.string(),
  to: z.string(),
  errand: Errand,
  steps: z.array(Step),
  /** The packet's conntrack entries in each namespace. */
  connections: z.array(z.object({ in: z.string(), connection: Connection })),
  end: End,
  /** The checker's diagnosis of this path; null: none. */
  diagnosis: z.object({ cause: z.string(), hop: z.string(), seen: z.array(z.string()), wrong: z.string() }).nullable(),
  /** What could not be seen. */
  notes: z.array(z.string()),
});
export type Trace = z.infer<typeof Trace>;
