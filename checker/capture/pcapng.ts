import type { Sight } from './rows.ts';

/** Blocks of pcapng: draft-ietf-opsawg-pcapng. Little endian, times in nanoseconds. */
function block(type: number, body: Buffer): Buffer {
  const padded = Math.ceil(body.length / 4) * 4;
  const whole = Buffer.alloc(padded + 12);
  whole.writeUInt32LE(type, 0);
  whole.writeUInt32LE(whole.length, 4);
  body.copy(whole, 8);
  whole.writeUInt32LE(whole.length, whole.length - 4);
  return whole;
}

function option(code: number, value: Buffer): Buffer {
  const whole = Buffer.alloc(4 + Math.ceil(value.length / 4) * 4);
  whole.writeUInt16LE(code, 0);
  whole.writeUInt16LE(value.length, 2);
  value.copy(whole, 4);
  return whole;
}

const lastOption = Buffer.alloc(4);

/** What stands before the packets: a section, and an interface for each place, by its name. */
export function pcapngHead(places: readonly string[]): Buffer {
  const section = Buffer.alloc(16);
  section.writeUInt32LE(0x1a2b3c4d, 0);
  section.writeUInt16LE(1, 4);
  section.writeBigInt64LE(-1n, 8);
  const made = option(4, Buffer.from('handwired lab observe'));
  const interfaces = places.map((name) => {
    const head = Buffer.alloc(8);
    head.writeUInt16LE(1, 0);
    head.writeUInt32LE(262144, 4);
    const resolution = option(9, Buffer.from([9]));
    return block(1, Buffer.concat([head, option(2, Buffer.from(name)), resolution, lastOption]));
  });
  return Buffer.concat([block(0x0a0d0d0a, Buffer.concat([section, made, lastOption])), ...interfaces]);
}

/** One packet at one place: an enhanced packet block, with its direction. */
export function pcapngPacket({ place, at, way, length, frame }: Sight): Buffer {
  const [seconds = '0', rest = '0'] = at.split('.');
  const time = BigInt(seconds) * 1_000_000_000n + BigInt(rest);
  const head = Buffer.alloc(20);
  head.writeUInt32LE(place, 0);
  head.writeUInt32LE(Number(time >> 32n), 4);
  head.writeUInt32LE(Number(time & 0xffffffffn), 8);
  head.writeUInt32LE(frame.length, 12);
  head.writeUInt32LE(Math.max(length, frame.length), 16);
  const padding = Buffer.alloc((4 - (frame.length % 4)) % 4);
  const flags = Buffer.alloc(4);
  flags.writeUInt32LE(way === 'in' ? 1 : 2);
  return block(6, Buffer.concat([head, frame, padding, option(2, flags), lastOption]));
}
