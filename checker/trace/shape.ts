import { z } from 'zod';
import { Connection } from '../facts/connections.ts';
import { Packet } from './seen.ts';

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
      ...['rule', 'policy', 'legacy', 'forwarding', 'routing', 'no-route'],
      ...['no-listener', 'unreachable', 'no-neighbour', 'not-translated'],
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
