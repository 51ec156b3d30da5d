import { z } from 'zod';

/** A socket that waits for others: TCP in LISTEN, UDP without a peer. */
export const Socket = z.object({
  protocol: z.enum(['tcp', 'udp']),
  /** As ss prints it: `0.0.0.0`, `127.0.0.53%lo`, `[::]`, `*`. */
  address: z.string(),
  port: z.int(),
  /** Name of the program, as the kernel has it (15 bytes); null: nobody's, or a kernel socket. */
  program: z.string().nullable(),
  pid: z.int().nullable(),
});
export type Socket = z.infer<typeof Socket>;

/** From `ss -H -l -t -u -n -p -O`: one socket a line. Lines of another shape are left out. */
export function parseSockets(text: string): Socket[] {
  return text.split('\n').flatMap((line) => {
    const match = /^(tcp|udp)\s+\S+\s+\d+\s+\d+\s+(\S+):(\d+)\s+\S+\s*(.*)$/.exec(line);
    if (!match) return [];
    const user = /\("((?:[^"\\]|\\.)*)",pid=(\d+)/.exec(match[4] ?? '');
    return [
      {
        protocol: match[1] === 'tcp' ? 'tcp' : 'udp',
        address: match[2] ?? '',
        port: Number(match[3]),
        program: user?.[1] ?? null,
        pid: user ? Number(user[2]) : null,
      },
    ];
  });
}
