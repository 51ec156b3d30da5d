import { world } from '@handwired/host';
import type { Net } from '../facts/facts.ts';

/** A packet as a rule sees it: what is unknown here is left open, so that a rule that asks for it may match or not. */
export interface Packet {
  in?: string | undefined;
  out?: string | undefined;
  source: string;
  target: string;
  protocol: 'icmp' | 'tcp' | 'udp';
  targetPort?: number | undefined;
  sourcePort?: number | undefined;
  state: 'NEW' | 'ESTABLISHED';
  /** Its destination was translated before. */
  translated?: boolean;
}

/** true, false, or undefined: it can't be told. */
export type Maybe = boolean | undefined;

export const not = (value: Maybe): Maybe => (value === undefined ? undefined : !value);

/** All of them; a certain no beats what can't be told. */
export const every = (values: readonly Maybe[]): Maybe =>
  values.includes(false) ? false : values.includes(undefined) ? undefined : true;

export const some = (values: readonly Maybe[]): Maybe => not(every(values.map(not)));

/** An IPv4 address as a number; NaN for anything else. */
function numberOf(address: string): number {
  const parts = address.split('.').map(Number);
  const fine = parts.length === 4 && parts.every((part) => Number.isInteger(part) && part >= 0 && part < 256);
  return fine ? parts.reduce((sum, part) => sum * 256 + part, 0) : Number.NaN;
}

/** Is an address in `a.b.c.d/n`, `a.b.c.d/m.m.m.m` or equal to `a.b.c.d`? */
export function within(address: string, network: string): boolean {
  const [base = '', mask = '32'] = network.split('/');
  const length = mask.includes('.') ? Math.log2(2 ** 32 / (2 ** 32 - numberOf(mask))) : Number(mask);
  const size = 2 ** (32 - length);
  return Math.floor(numberOf(address) / size) === Math.floor(numberOf(base) / size);
}

/** Is an address one of this network namespace's own? */
export const isLocal = (net: Net, address: string): boolean =>
  address.startsWith('127.') || net.links.some((link) => link.addresses.some((one) => one.address === address));

/** `br0`, or `br+` for all that begin so. */
export const isDevice = (pattern: string, device: string): boolean =>
  pattern.endsWith('+') ? device.startsWith(pattern.slice(0, -1)) : pattern === device;

/** The answer to a packet, on its way back. */
export const answerTo = (packet: Packet): Packet => ({
  ...packet,
  in: packet.out,
  out: packet.in,
  source: packet.target,
  target: packet.source,
  sourcePort: packet.targetPort,
  targetPort: packet.sourcePort,
  state: 'ESTABLISHED',
});

export const uplink = world.uplink.name;
