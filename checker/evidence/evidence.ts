import { z } from 'zod';

/** What one probe met. `stage`: how far it got; `error`: in the kernel's words. */
const Result = z.object({
  ok: z.boolean(),
  stage: z.enum(['start', 'connect', 'lookup', 'tls', 'reply', 'done']),
  error: z.string().max(200).nullable(),
  errno: z.string().nullish(),
  ms: z.number(),
  /** Who answered an echo request. */
  from: z.string().optional(),
  /** A router's answer, RFC 792 type 3. */
  unreachable: z.object({ from: z.string(), code: z.int() }).optional(),
  /** The beginning of what a server said. */
  reply: z.string().max(700).optional(),
  /** Did all of the reply that was read have the request's token in it? */
  echoed: z.boolean().optional(),
  answers: z.array(z.string()).max(8).optional(),
  /** The name that a lookup's answer is about, if it is not the one that was asked for: resolv.conf(5), `search`. */
  foundAs: z.string().max(300).optional(),
});

/** A packet with a probe's token or port, as a packet socket saw it; `count` of the same. */
const Sight = z.object({
  /** null for ARP. */
  probe: z.string().nullable(),
  /** `root`, `world` or a container's name. */
  in: z.string(),
  device: z.string(),
  way: z.enum(['in', 'out']),
  what: z.enum([
    'syn',
    'syn-ack',
    'rst',
    'request',
    'reply',
    'echo',
    'echo-reply',
    'unreachable',
    'query',
    'answer',
    'datagram',
    'who-has',
    'is-at',
  ]),
  source: z.string(),
  sourcePort: z.int(),
  target: z.string(),
  /** For `unreachable`: the ICMP code. */
  targetPort: z.int(),
  count: z.int(),
});

/** What experiments in one set of namespaces yielded. */
const Run = z.object({
  results: z.record(z.string(), Result),
  seen: z.array(Sight).max(3000),
  /** More different packets than are kept. */
  over: z.boolean(),
  /** Packets that a packet socket lost, by namespace. */
  drops: z.record(z.string(), z.int()),
});

/**
 * The same experiments in a disposable copy of the lab host's namespaces with a world of its own, under a condition that
 * the learner did not choose. What the lab host's programs listen on is relayed from the copy to them.
 */
const Copy = Run.extend({
  /** Policy of iptables' FORWARD (either variant); bridge-nf-call-iptables. */
  condition: z.object({ forwardPolicy: z.enum(['accept', 'drop']), bridgeNf: z.enum(['0', '1']) }),
  /** Where the copy is not like the original: not empty, and the copy proves nothing. */
  differences: z.array(z.string().max(300)).max(50),
  /** Why there is no copy. */
  error: z.string().max(300).nullable(),
});

/** What the experiments of one check yielded: on the lab host as it is, and on copies of it. */
export const Evidence = Run.extend({
  copies: z.array(Copy).max(4).default([]),
  /** What changed on the lab host while the experiments were made, also when it was changed back: in which namespace, what. */
  changes: z
    .array(z.object({ in: z.string().max(100), what: z.string().max(200) }))
    .max(50)
    .default([]),
  /** What changed in a first take, which was thrown away; null: this is the first. */
  retaken: z.string().max(500).nullable().default(null),
  /** Milliseconds in which the lab host did not let the prober run; the timeouts were longer by that. */
  lost: z.number(),
  /** Hashes of what must not change while experiments are made: before the first and after the last of them. */
  steady: z
    .object({ before: z.string().max(100), after: z.string().max(100) })
    .nullable()
    .default(null),
});
export type Evidence = z.infer<typeof Evidence>;

/** The most that the timeouts are lengthened by, in milliseconds: PatientClock.most_lost in agent/traffic.py. */
const mostLost = 12_000;

/** Did the lab host stand still for longer than our patience? Then what was not answered there proves nothing. */
export const wasStarved = ({ lost }: Evidence): boolean => lost >= mostLost;
export type Copy = z.infer<typeof Copy>;
export type Result = z.infer<typeof Result>;
export type Sight = z.infer<typeof Sight>;
