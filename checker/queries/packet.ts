import { world } from '@handwired/host';
import type { Net } from '../facts/facts.ts';
import type { PolicyRule, Route } from '../facts/iproute.ts';

/** A packet as a rule sees it. A rule that tests an unknown field may match or not. */
export interface Packet {
  in?: string | undefined;
  out?: string | undefined;
  source: string;
  target: string;
  protocol: 'icmp' | 'tcp' | 'udp';
  targetPort?: number | undefined;
  sourcePort?: number | undefined;
  state: 'NEW' | 'ESTABLISHED';
  /** DNAT has changed its destination. */
  translated?: boolean;
}

/** true, false, or undefined: not known. */
export type Maybe = boolean | undefined;

/** The opposite; undefined stays undefined. */
export const not = (value: Maybe): Maybe => (value === undefined ? undefined : !value);

/** Are all of them true? One false decides, even if others are undefined. */
export const every = (values: readonly Maybe[]): Maybe =>
  values.includes(false) ? false : values.includes(undefined) ? undefined : true;

/** Is one of them true? One true decides, even if others are undefined. */
export const some = (values: readonly Maybe[]): Maybe => not(every(values.map(not)));

/** An IPv4 address as a number; NaN for anything else. */
function readNumber(address: string): number {
  const parts = address.split('.').map(Number);
  const fine = parts.length === 4 && parts.every((part) => Number.isInteger(part) && part >= 0 && part < 256);
  return fine ? parts.reduce((sum, part) => sum * 256 + part, 0) : Number.NaN;
}

/** Is an address in `a.b.c.d/n`, `a.b.c.d/m.m.m.m` or equal to `a.b.c.d`? */
export function isWithin(address: string, network: string): boolean {
  const [base = '', mask = '32'] = network.split('/');
  const length = mask.includes('.') ? Math.log2(2 ** 32 / (2 ** 32 - readNumber(mask))) : Number(mask);
  const size = 2 ** (32 - length);
  return Math.floor(readNumber(address) / size) === Math.floor(readNumber(base) / size);
}

/** Is an address one of this network namespace's own? */
export const isLocal = (net: Net, address: string): boolean =>
  address.startsWith('127.') || net.links.some((link) => link.addresses.some((one) => one.address === address));

/** Does a device match `br0`, or `br+`, which stands for all names that begin with `br`? */
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

/** The name of the lab host's uplink. */
export const uplink = world.uplink.name;

/** Priorities of the policy rules that every host has: local, main, default. */
const usual = new Set([0, 32766, 32767]);

/** Do a policy rule's selectors allow the packet? Selectors that are not implemented here count as matching. */
function takes(net: Net, { text }: PolicyRule, packet: Packet): boolean {
  const words = text.split(' ');
  if (words.includes('fwmark') && !marks(net)) return false;
  const value = (key: string): string | undefined => words[words.indexOf(key) + 1 || -1];
  const [from, to, device] = [value('src'), value('dst'), value('iif')];
  const matches = (address: string, base: string, length: string | undefined): boolean =>
    base === 'all' || base === '0.0.0.0' || isWithin(address, `${base}/${length ?? 32}`);
  return (
    (from === undefined || matches(packet.source, from, value('srclen'))) &&
    (to === undefined || matches(packet.target, to, value('dstlen'))) &&
    (device === undefined || device === packet.in)
  );
}

/** Does any firewall rule set marks on packets? */
const marks = ({ iptables, nft }: Net): boolean =>
  iptables.some(({ chains }) => chains.some(({ rules }) => rules.some((rule) => /-[jg] (CONN)?MARK\b/.test(rule)))) ||
  nft.some(({ objects }) => objects.some(({ text }) => /"mangle".*"mark"/.test(text)));

/** The first user-made policy rule that routes such a packet. */
export const findPolicyRule = (net: Net, packet: Packet): PolicyRule | undefined =>
  net.policy.find((rule) => sends(net, rule, packet));

/** The first user-made policy rule that routes one of these packets to a wrong place. */
export function findDivertingRule(net: Net, packets: Packet[]): PolicyRule | undefined {
  const wrong = (rule: PolicyRule, packet: Packet): boolean => {
    const route = routeIn(net, readTable(rule), packet.target);
    return route === undefined || !leadsRight(route, packet);
  };
  return net.policy.find((rule) => packets.some((packet) => sends(net, rule, packet) && wrong(rule, packet)));
}

/** Does a user-made rule route the packet? A table without a route for it leaves it to the next rule: ip-rule(8). */
function sends(net: Net, rule: PolicyRule, packet: Packet): boolean {
  if (usual.has(rule.priority) || !takes(net, rule, packet)) return false;
  const table = readTable(rule);
  return table === undefined || routeIn(net, table, packet.target) !== undefined;
}

const readTable = ({ text }: PolicyRule): string | undefined => /\btable (\S+)/.exec(text)?.[1];

/** The most specific IPv4 route of a table to an address. */
const routeIn = ({ routes }: Net, table: string | undefined, target: string): Route | undefined =>
  routes
    .filter((one) => one.table === table && !one.destination.includes(':'))
    .filter(({ destination }) => destination === 'default' || isWithin(target, destination))
    .toSorted((a, b) => readLength(b) - readLength(a))[0];

/** Does a route lead out of the right link and, on the uplink, to the right gateway? */
const leadsRight = ({ type, device, gateway }: Route, { out }: Packet): boolean =>
  type === 'unicast' && out === device && gateway === (device === uplink ? world.uplink.gateway : null);

/** The most specific IPv4 route of table main to an address; undefined when that is the default route. */
export function routeTo(net: Net, address: string): Route | undefined {
  const route = routeIn(net, 'main', address);
  return route?.destination === 'default' ? undefined : route;
}

const readLength = ({ destination }: Route): number =>
  destination === 'default' ? 0 : Number(destination.split('/')[1] ?? 32);
