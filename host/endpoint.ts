import { z } from 'zod';

/** How to reach a lab host: a TCP address, or an argv whose stdio is the ssh transport (`nsenter ... sshd -i`). */
const Dial = z.union([
  z.strictObject({ address: z.string(), port: z.number().int().min(1).max(65535) }),
  z.strictObject({ command: z.array(z.string()).min(1) }),
]);

/**
 * Where the grader sits: it sees the lab host and its programs are out of the learner's reach. An argv of this machine
 * that becomes the command behind it (a sandbox's network namespace, entered from outside), or a second ssh server whose
 * root is a read-only disk.
 */
const Seat = z.strictObject({
  way: z.union([z.strictObject({ argv: z.array(z.string()).min(1) }), z.strictObject({ dial: Dial })]),
  /** A process of the lab host, as the seat numbers processes: its mount namespace is what the learner sees. */
  viewPid: z.number().int().min(1),
});

/** What infra hands to everyone else: one file per lab, `endpoint.json` in its state folder. */
export const Endpoint = z.object({
  lab: z.string(),
  driver: z.enum(['vm', 'sandbox']),
  dial: Dial,
  user: z.string(),
  /** Path of the ed25519 private key, mode 0600. */
  privateKeyFile: z.string(),
  /** The lab host's public key, `ssh-ed25519 AAAA...`, made before boot; anything else is refused. */
  hostKey: z.string(),
  /** Absent: no seat yet (an endpoint of before there were seats); the grader then works from the learner's own root. */
  seat: Seat.optional(),
});
export type Seat = z.infer<typeof Seat>;
export type Endpoint = z.infer<typeof Endpoint>;
