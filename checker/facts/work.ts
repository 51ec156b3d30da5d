import { basename } from 'node:path';
import { z } from 'zod';
import { parseFrame, readCapture } from './pcap.ts';

/** What a learner hands in, as it came: read_work in agent/files.py. */
export const Work = z.object({
  answers: z.array(z.object({ path: z.string().max(4096), text: z.string().max(8192).nullable() })).max(16),
  captures: z
    .array(z.object({ path: z.string().max(4096), cut: z.boolean(), data: z.base64().max(400_000).nullable() }))
    .max(8),
});
type Work = z.infer<typeof Work>;

/** A file of /root/answers: what a learner answered to a chapter's questions. */
export const Answers = z.object({
  /** The file's name without its end: `observe`. */
  chapter: z.string().max(200),
  /** Lines `key: value`, keys in lower case. */
  lines: z.array(z.object({ key: z.string().max(100), value: z.string().max(200) })).max(60),
});
export type Answers = z.infer<typeof Answers>;

/** A TCP segment that opens a connection, or agrees to it. */
const Handshake = z.object({
  /** Seconds since the epoch. */
  at: z.number(),
  source: z.string(),
  sourcePort: z.int(),
  target: z.string(),
  targetPort: z.int(),
  /** SYN and ACK: the answer. */
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
  /** What keeps all of it from being read; null: it was read to its end. */
  problem: z.string().nullable(),
});
export type CaptureFacts = z.infer<typeof CaptureFacts>;

/** What the world's log says of one knock: the outside client's request to a port of the uplink. */
export const Knock = z.object({
  /** Seconds since the epoch. */
  at: z.number(),
  source: z.string().max(40),
  sourcePort: z.int(),
  targetPort: z.int(),
  /** What came of it. */
  came: z.string().max(300),
});
export type Knock = z.infer<typeof Knock>;

/** More of a capture is not looked at. */
const MOST_FRAMES = 20_000;

/** The lines `key: value` of each file; at most 60 of a file. */
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

/** Of lines that are no knock, whoever wrote them, none. */
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
