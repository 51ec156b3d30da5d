import { z } from 'zod';

/** How to reach a lab host: a TCP address, or an argv whose stdio is the ssh transport (`nsenter ... sshd -i`). */
const Dial = z.union([
  z.strictObject({ address: z.string(), port: z.number().int().min(1).max(65535) }),
  z.strictObject({ command: z.array(z.string()).min(1) }),
]);

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
});
export type Endpoint = z.infer<typeof Endpoint>;
