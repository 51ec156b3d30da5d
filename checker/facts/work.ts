import { basename } from 'node:path';
import { z } from 'zod';
import { parseFrame, readCapture } from './pcap.ts';

/** The files that a learner hands in, unparsed: read_work in agent/files.py. */
export const Work = z.object({
  answers: z.array(z.object({ path: z.string().max(4096), text: z.string().max(8192).nullable() })).max(16),
  captures: z
    .array(z.object({ path: z.string().max(4096), cut: z.boolean(), data: z.base64().max(400_000).nullable() }))
    .max(8),
});
type Work = z.infer<typeof Work>;

/** A file of /root/answers: the learner's answers to a chapter's questions. */
export const Answers = z.object({
  /** The file's name without `.txt`: `observe`. */
  chapter: z.string().max(200),
  /** Lines `key: value`, keys in lower case. */
  lines: z.array(z.object({ key: z.string().max(100), value: z.string().max(200) })).max(60),
});
export type Answers = z.infer<typeof Answers>;

/** A TCP segment with SYN: it opens a connection, or accepts it. */
const Handshake = z.object({
  /** Seconds since the epoch. */
  at: z.number(),
  source: z.string(),
  sourcePort: z.int(),
  target: z.string(),
  targetPort: z.int(),
  /** The segment has SYN and ACK: it accepts the connection. */
  answer: z.boolean(),
  sequence: z.number(),
  acknowledgement: z.number(),
});
export type Handshake = z.infer<typeof Handshake>;

/** A file of /root/captures, as far as it was read. */
export const CaptureFacts = z.object({
  path: z.string().max(4096),
  /** IPv4 and ARP packets. */
  packets: z.int(),
  handshakes: z.array(Handshake).max(300),
  /** Why the file could not be read to its end; null: it was. */
  problem: z.string().nullable(),
});
export type CaptureFacts = z.infer<typeof CaptureFacts>;

/** One knock in the world's log: a request of the outside client to a port of the uplink. */
export const Knock = z.object({
  /** Seconds since the epoch. */
  at: z.number(),
  source: z.string().max(40),
  sourcePort: z.int(),
  targetPort: z.int(),
  /** The result of the request. */
  came: z.string().max(300),
});
export type Knock = z.infer<typeof Knock>;

/** At most this many frames of a capture are read. */
const MOST_FRAMES = 20_000;

/** The lines `key: value` of each file, at most 60 per file. */
export const parseAnswers = (files: Work['answers']): Answers[] =>
  files.map(({ path, text }) => ({
    chapter: basename(path, '.txt'),
    lines: (text ?? '')
      .split('\n')
      .flatMap((line) => {
        const [, key, value] = /^\s*([^:#\s][^:#]{0,99}?)\s*:\s*(\S.{0,199}?)\s*$/.exec(line.slice(0, 310)) ?? [];
        return key === undefined || value === undefined ? [] : [{ key: key.toLowerCase(), value }];
      })
      .slice(0, 60),
  }));

/** The handshakes in each capture file, as far as it can be read. */
export const parseCaptures = (files: Work['captures']): CaptureFacts[] =>
  files.map(({ path, data, cut }) => {
    if (data === null) return { path, packets: 0, handshakes: [], problem: 'it is no file that can be read' };
    const { frames, problem } = readCapture(Buffer.from(data, 'base64'), MOST_FRAMES);
    const parsed = frames.flatMap(({ at, bytes, link }) => {
      const packet = parseFrame(bytes, link);
      return packet ? [{ at, packet }] : [];
    });
    const handshakes = parsed.flatMap(({ at, packet }) => {
      const { source, sourcePort, target, targetPort, flags, sequence, acknowledgement } = packet;
      if (flags?.syn !== true) return [];
      return [{ at, source, sourcePort, target, targetPort, answer: flags.ack, sequence, acknowledgement }];
    });
    const long = cut ? 'it is longer than what is read of it, 256 KiB' : problem;
    return { path, packets: parsed.length, handshakes: handshakes.slice(0, 300), problem: long };
  });

const Line = z.object({
  t: z.number(),
  kind: z.literal('knock'),
  src: z.string().max(40),
  sport: z.int(),
  dport: z.int(),
  came: z.string(),
});

/** Parses the knocks in the world's log. Skips all other lines. */
export const parseKnocks = (lines: readonly string[]): Knock[] =>
  lines.flatMap((line) => {
    const { data } = Line.safeParse(parse(line));
    if (!data) return [];
    const { t, src, sport, dport, came } = data;
    return [{ at: t, source: src, sourcePort: sport, targetPort: dport, came: came.slice(0, 300) }];
  });

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
