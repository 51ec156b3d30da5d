import { z } from 'zod';

const Tuple = z.object({
  source: z.string(),
  destination: z.string(),
  sourcePort: z.int().nullable(),
  destinationPort: z.int().nullable(),
});

/** One connection that conntrack follows: what was asked for, and what the answer must look like. Never compared. */
export const Connection = z.object({ protocol: z.string(), original: Tuple, reply: Tuple });
export type Connection = z.infer<typeof Connection>;

/** From `conntrack -L -o extended`: at most 2000 connections. */
export function parseConnections(text: string): Connection[] {
  return text
    .split('\n')
    .slice(0, 2000)
    .flatMap((line) => {
      const [, , protocol] = line.split(/\s+/);
      const [original, reply] = [...line.matchAll(/src=(\S+) dst=(\S+)(?: sport=(\d{1,5})\b dport=(\d{1,5})\b)?/g)].map(
        tupleOf,
      );
      return protocol && original && reply ? [{ protocol, original, reply }] : [];
    });
}

function tupleOf(match: RegExpExecArray): Connection['original'] {
  const port = (digits: string | undefined): number | null => (digits === undefined ? null : Number(digits));
  return {
    source: match[1] ?? '',
    destination: match[2] ?? '',
    sourcePort: port(match[3]),
    destinationPort: port(match[4]),
  };
}
