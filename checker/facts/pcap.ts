import { createHash } from 'node:crypto';

/** One frame of a capture file. */
interface Frame {
  /** Seconds since the epoch. */
  at: number;
  /** pcap-linktype(7). */
  link: number;
  bytes: Buffer;
}

/** The part of a capture file that could be read. */
export interface CaptureFile {
  frames: Frame[];
  /** Why no more could be read: it is not a capture file, or it is damaged; null: reading did not fail. */
  problem: string | null;
}

/** Bytes. A longer record is damage, not a packet: MAXIMUM_SNAPLEN of libpcap. */
const LONGEST = 262_144;

/**
 * Reads the frames of a capture file, at most `most`. It takes pcap-savefile(5) in either byte order, with micro- or
 * nanoseconds, and pcapng (draft-ietf-opsawg-pcapng). Never throws: from damaged bytes it gives the frames before the
 * damage.
 */
export function readCapture(bytes: Buffer, most: number): CaptureFile {
  if (bytes.length < 24) return { frames: [], problem: bytes.length === 0 ? 'it is empty' : 'it is no capture file' };
  const magic = bytes.readUInt32BE(0);
  if (magic === 0x0a0d0d0a) return pcapng(bytes, most);
  const known = classic[magic];
  return known ? pcap(bytes, most, known) : { frames: [], problem: 'it is no capture file' };
}

interface Kind {
  little: boolean;
  /** Unit of the timestamps' fraction, in seconds. */
  fraction: number;
}

const classic: Record<number, Kind | undefined> = {
  [0xa1b2c3d4]: { little: false, fraction: 1e-6 },
  [0xd4c3b2a1]: { little: true, fraction: 1e-6 },
  [0xa1b23c4d]: { little: false, fraction: 1e-9 },
  [0x4d3cb2a1]: { little: true, fraction: 1e-9 },
};

const readers = (bytes: Buffer, little: boolean) => ({
  u32: (at: number): number => (little ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at)),
  u16: (at: number): number => (little ? bytes.readUInt16LE(at) : bytes.readUInt16BE(at)),
});

const cut = 'it ends in the middle of a packet';
const damaged = 'it is damaged';

function pcap(bytes: Buffer, most: number, { little, fraction }: Kind): CaptureFile {
  const { u32 } = readers(bytes, little);
  const link = u32(20) & 0xffff;
  const frames: Frame[] = [];
  for (let at = 24; at < bytes.length && frames.length < most; ) {
    if (at + 16 > bytes.length) return { frames, problem: cut };
    const length = u32(at + 8);
    if (length > LONGEST) return { frames, problem: damaged };
    if (at + 16 + length > bytes.length) return { frames, problem: cut };
    frames.push({ at: u32(at) + u32(at + 4) * fraction, link, bytes: bytes.subarray(at + 16, at + 16 + length) });
    at += 16 + length;
  }
  return { frames, problem: null };
}

/** The fields of an interface description block that its packets need: link type and unit of timestamps in seconds. */
interface Interface {
  link: number;
  fraction: number;
}

function pcapng(bytes: Buffer, most: number): CaptureFile {
  const frames: Frame[] = [];
  let interfaces: Interface[] = [];
  let little = true;
  for (let at = 0; at < bytes.length && frames.length < most; ) {
    if (at + 12 > bytes.length) return { frames, problem: cut };
    if (bytes.readUInt32BE(at) === 0x0a0d0d0a) {
      little = bytes.readUInt32LE(at + 8) === 0x1a2b3c4d;
      if (!little && bytes.readUInt32BE(at + 8) !== 0x1a2b3c4d) return { frames, problem: damaged };
      interfaces = [];
    }
    const { u32 } = readers(bytes, little);
    const [type, length] = [u32(at), u32(at + 4)];
    if (length < 12 || length % 4 !== 0) return { frames, problem: damaged };
    if (at + length > bytes.length) return { frames, problem: cut };
    const body = bytes.subarray(at + 8, at + length - 4);
    if (type === 1 && body.length >= 8) interfaces.push(parseInterface(body, little));
    if (type === 6) {
      const frame = enhanced(body, little, interfaces);
      if (!frame) return { frames, problem: damaged };
      frames.push(frame);
    }
    at += length;
  }
  return { frames, problem: null };
}

/** Option 9 is if_tsresol: a negative power of ten or, when the highest bit is set, of two. */
function parseInterface(body: Buffer, little: boolean): Interface {
  const { u16 } = readers(body, little);
  let fraction = 1e-6;
  for (let at = 8; at + 4 <= body.length; ) {
    const [code, length] = [u16(at), u16(at + 2)];
    if (code === 0) break;
    const power = body[at + 4] ?? 6;
    if (code === 9 && length === 1) fraction = power < 128 ? 10 ** -power : 2 ** -(power - 128);
    at += 4 + Math.ceil(length / 4) * 4;
  }
  return { link: u16(0), fraction };
}

function enhanced(body: Buffer, little: boolean, interfaces: readonly Interface[]): Frame | undefined {
  if (body.length < 20) return undefined;
  const { u32 } = readers(body, little);
  const from = interfaces[u32(0)];
  const length = u32(12);
  if (!from || length > LONGEST || 20 + length > body.length) return undefined;
  const at = (u32(4) * 2 ** 32 + u32(8)) * from.fraction;
  return { at, link: from.link, bytes: body.subarray(20, 20 + length) };
}

/** The packet in a captured frame, as far as this file can parse it. */
export interface Packet {
  protocol: 'tcp' | 'udp' | 'icmp' | 'arp' | 'other';
  /** Addresses are IPv4. Ports are 0 when the protocol has none. */
  source: string;
  sourcePort: number;
  target: string;
  targetPort: number;
  /** In words: `SYN`, `echo request`, `query example.com`, `who-has`. */
  what: string;
  /** TCP's SYN, ACK, RST and FIN; null for other protocols. */
  flags: { syn: boolean; ack: boolean; rst: boolean; fin: boolean } | null;
  /** TCP's numbers; 0 for other protocols. */
  sequence: number;
  acknowledgement: number;
  /** Bytes after the transport header. */
  length: number;
  /** Identifies the packet: the same at every place, also after NAT. */
  key: string;
}

/** Link types of pcap-linktype(7). */
export const linkTypes = { ethernet: 1, raw: 101, cooked: 113, cooked2: 276, ipv4: 228 } as const;

/** Gives the EtherType and the bytes from the network header on; undefined: too short, or an unknown link type. */
function parseNetwork(frame: Buffer, link: number): { type: number; body: Buffer } | undefined {
  const at = (type: number, header: number) =>
    frame.length < header ? undefined : { type: frame.readUInt16BE(type), body: frame.subarray(header) };
  switch (link) {
    case linkTypes.ethernet:
      return at(12, 14);
    case linkTypes.cooked:
      return at(14, 16);
    case linkTypes.cooked2:
      return at(0, 20);
    case linkTypes.raw:
    case linkTypes.ipv4:
      return { type: 0x800, body: frame };
    default:
      return undefined;
  }
}

/** Parses one frame; undefined: it is neither IPv4 nor ARP, or its headers are incomplete. Never throws. */
export function parseFrame(frame: Buffer, link: number = linkTypes.ethernet): Packet | undefined {
  const network = parseNetwork(frame, link);
  if (network?.type === 0x806) return parseArp(network.body);
  return network?.type === 0x800 ? parseIp(network.body) : undefined;
}

const address = (bytes: Buffer, at: number): string => bytes.subarray(at, at + 4).join('.');
const none = { sourcePort: 0, targetPort: 0, flags: null, sequence: 0, acknowledgement: 0, length: 0 } as const;

/** RFC 826. */
function parseArp(body: Buffer): Packet | undefined {
  if (body.length < 28) return undefined;
  const what = ({ 1: 'who-has', 2: 'is-at' } as Record<number, string>)[body.readUInt16BE(6)] ?? 'arp';
  const [source, target] = [address(body, 14), address(body, 24)];
  return { ...none, protocol: 'arp', what, source, target, key: `arp ${what} ${source} ${target}` };
}

/** RFC 791. A later fragment has no ports. */
function parseIp(packet: Buffer): Packet | undefined {
  const head = packet.length >= 20 ? ((packet[0] ?? 0) & 15) * 4 : 0;
  if (head < 20 || packet.length < head || (packet[0] ?? 0) >> 4 !== 4) return undefined;
  const whole = packet.subarray(head, Math.max(head, Math.min(packet.length, packet.readUInt16BE(2) || packet.length)));
  const [source, target, id] = [address(packet, 12), address(packet, 16), packet.readUInt16BE(4)];
  const base = { ...none, source, target };
  const fragment = (packet.readUInt16BE(6) & 0x1fff) > 0;
  const protocol = fragment ? 0 : (packet[9] ?? 0);
  if (protocol === 6 && whole.length >= 20) return { ...base, ...parseTcp(whole, id) };
  if (protocol === 17 && whole.length >= 8) return { ...base, ...parseUdp(whole, id) };
  if (protocol === 1 && whole.length >= 8) return { ...base, ...parseIcmp(whole, id) };
  const what = fragment ? 'fragment' : `protocol ${packet[9] ?? 0}`;
  return { ...base, protocol: 'other', what, length: whole.length, key: `${what} ${id} ${digest(whole)}` };
}

/** RFC 9293. NAT changes neither number, nor IP's id. Together they tell a retransmission from the first packet. */
function parseTcp(segment: Buffer, id: number): Omit<Packet, 'source' | 'target'> {
  const bits = segment[13] ?? 0;
  const [sequence, acknowledgement] = [segment.readUInt32BE(4), segment.readUInt32BE(8)];
  const length = Math.max(0, segment.length - ((segment[12] ?? 0) >> 4) * 4);
  const names = ['FIN', 'SYN', 'RST', 'PSH', 'ACK'].filter((_name, bit) => ((bits >> bit) & 1) === 1);
  const shown = names.filter((name) => name !== 'PSH' && (name !== 'ACK' || names.length === 1 || names[0] === 'SYN'));
  return {
    protocol: 'tcp',
    sourcePort: segment.readUInt16BE(0),
    targetPort: segment.readUInt16BE(2),
    what: length > 0 ? `${length} bytes` : shown.join('-') || 'ACK',
    flags: { syn: (bits & 2) > 0, ack: (bits & 16) > 0, rst: (bits & 4) > 0, fin: (bits & 1) > 0 },
    sequence,
    acknowledgement,
    length,
    key: `tcp ${id} ${sequence} ${acknowledgement} ${bits} ${length}`,
  };
}

/** RFC 768. A DNS message is described by its question. */
function parseUdp(datagram: Buffer, id: number): Omit<Packet, 'source' | 'target'> {
  const [sourcePort, targetPort] = [datagram.readUInt16BE(0), datagram.readUInt16BE(2)];
  const body = datagram.subarray(8);
  const name = sourcePort === 53 || targetPort === 53 ? parseQuestion(body) : undefined;
  const kind = targetPort === 53 ? 'query' : 'answer';
  return {
    ...none,
    protocol: 'udp',
    sourcePort,
    targetPort,
    length: body.length,
    what: name === undefined ? `${body.length} bytes` : `${kind} ${name}`,
    key: `udp ${id} ${digest(body)}`,
  };
}

/** RFC 1035, 4.1.2: the name in the first question; undefined: no complete name. */
function parseQuestion(message: Buffer): string | undefined {
  const labels: string[] = [];
  for (let at = 12; at < message.length; ) {
    const size = message[at] ?? 0;
    if (size === 0) return labels.join('.') || '.';
    if (size > 63 || at + 1 + size > message.length) return undefined;
    labels.push(message.subarray(at + 1, at + 1 + size).toString('latin1'));
    at += 1 + size;
  }
  return undefined;
}

const icmpNames: Record<number, string> = {
  0: 'echo reply',
  3: 'unreachable',
  5: 'redirect',
  8: 'echo request',
  11: 'time exceeded',
};

/** RFC 792. The key omits what NAT may change: the packet that an error quotes, and the identifier of an echo. */
function parseIcmp(message: Buffer, id: number): Omit<Packet, 'source' | 'target'> {
  const [type = 0, code = 0] = message;
  const isEcho = type === 0 || type === 8;
  const tail = isEcho ? `${message.readUInt16BE(6)} ${digest(message.subarray(8))}` : `${code}`;
  const what = icmpNames[type] ?? `ICMP type ${type}`;
  return {
    ...none,
    protocol: 'icmp',
    what,
    length: message.length - 8,
    key: `icmp ${type} ${id} ${tail}`,
  };
}

const digest = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('base64').slice(0, 16);
