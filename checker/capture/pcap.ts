/** One frame of a capture file. */
interface Frame {
  /** Seconds since the epoch. */
  at: number;
  /** pcap-linktype(7). */
  link: number;
  bytes: Buffer;
}

export interface CaptureFile {
  frames: Frame[];
  /** Why no more could be read: no capture file, or one that is damaged; null: it was read to its end. */
  problem: string | null;
}

/** A longer one is no packet of a link: MAXIMUM_SNAPLEN of libpcap. */
const LONGEST = 262_144;

/**
 * The frames of a capture file, at most `most`: pcap-savefile(5), either byte order, micro- or nanoseconds, or pcapng
 * (draft-ietf-opsawg-pcapng). Whatever the bytes are, it gives what can be read of them; it never throws.
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
  /** Of a second. */
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

/** What an interface description block says that its packets need. */
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
    if (type === 1 && body.length >= 8) interfaces.push(interfaceOf(body, little));
    if (type === 6) {
      const frame = enhanced(body, little, interfaces);
      if (!frame) return { frames, problem: damaged };
      frames.push(frame);
    }
    at += length;
  }
  return { frames, problem: null };
}

/** if_tsresol, option 9: a power of ten, or of two with the highest bit. */
function interfaceOf(body: Buffer, little: boolean): Interface {
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
