import { z } from 'zod';

/** The result of one probe. `stage` is how far it got, `error` the kernel's message. */
const Result = z.object({
  ok: z.boolean(),
  stage: z.enum(['start', 'connect', 'lookup', 'tls', 'reply', 'done']),
  error: z.string().max(200).nullable(),
  errno: z.string().nullish(),
  ms: z.number(),
  /** The address that answered an echo request. */
  from: z.string().optional(),
  /** A router's answer, RFC 792 type 3. */
  unreachable: z.object({ from: z.string(), code: z.int() }).optional(),
  /** The beginning of a server's reply. */
  reply: z.string().max(700).optional(),
  /** Does the reply, as far as it was read, contain the request's token? */
  echoed: z.boolean().optional(),
  answers: z.array(z.string()).max(8).optional(),
  /** The name in a lookup's answer, when it differs from the name that was asked for: resolv.conf(5), `search`. */
  foundAs: z.string().max(300).optional(),
});

/** A packet with a probe's token or port, as a packet socket saw it. `count` is the number of equal packets. */
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

/** The results of experiments in one set of namespaces. */
const Run = z.object({
  results: z.record(z.string(), Result),
  seen: z.array(Sight).max(3000),
  /** There were more different packets than are kept. */
  over: z.boolean(),
  /** Packets that a packet socket lost, by namespace. */
  drops: z.record(z.string(), z.int()),
});

/**
 * The results of the same experiments in a disposable copy of the lab host's namespaces. The copy has its own world and
 * a condition that the learner did not choose. Requests to the lab host's listeners are relayed to them.
 */
const Copy = Run.extend({
  /** Policy of iptables' FORWARD (either variant); bridge-nf-call-iptables. */
  condition: z.object({ forwardPolicy: z.enum(['accept', 'drop']), bridgeNf: z.enum(['0', '1']) }),
  /** Where the copy differs from the original. If there is any difference, the copy proves nothing. */
  differences: z.array(z.string().max(300)).max(50),
  /** Why there is no copy; null: there is one. */
  error: z.string().max(300).nullable(),
  /** As `lost` of the lab host's own experiments: a copy is a process of its own, with a clock of its own. */
  lost: z.number().default(0),
});

/** The results of experiments on the lab host as it is, and on copies of it. */
export const Evidence = Run.extend({
  copies: z.array(Copy).max(4).default([]),
  /** Changes on the lab host during the experiments, by namespace. Changes that were undone in time are included. */
  changes: z
    .array(z.object({ in: z.string().max(100), what: z.string().max(200) }))
    .max(50)
    .default([]),
  /** Why a first take was thrown away: what changed during it; null: this is the first take. */
  retaken: z.string().max(500).nullable().default(null),
  /** Milliseconds in which the lab host did not let the prober run, or was slower than can be waited for. */
  lost: z.number(),
  /** Fingerprints of what must not change: before the first experiment and after the last. */
  steady: z
    .object({ before: z.string().max(100), after: z.string().max(100) })
    .nullable()
    .default(null),
});
export type Evidence = z.infer<typeof Evidence>;

/** Milliseconds. The timeouts are extended by at most this: PatientClock.most_lost in agent/traffic.py. */
const mostLost = 12_000;

/**
 * Was the prober, on the lab host or in a copy, stopped for longer than timeouts can be extended? Then a missing answer
 * proves nothing.
 */
export const wasStarved = ({ lost, copies }: Evidence): boolean =>
  [lost, ...copies.map((copy) => copy.lost)].some((one) => one >= mostLost);
export type Copy = z.infer<typeof Copy>;
export type Result = z.infer<typeof Result>;
export type Sight = z.infer<typeof Sight>;
