import { z } from 'zod';

/** A socket that waits for others: TCP in LISTEN, UDP without a peer. */
export const Socket = z.object({
  protocol: z.enum(['tcp', 'udp']),
  /** As ss prints it: `0.0.0.0`, `127.0.0.53%lo`, `[::]`, `*`. */
  address: z.string(),
  port: z.int(),
  /** Name of the program, as the kernel has it (15 bytes); null: nobody's, or a kernel socket. */
  program: z.string().nullable(),
  /** As the learner sees it. */
  pid: z.int().nullable(),
});
export type Socket = z.infer<typeof Socket>;
