import { z } from 'zod';
import type { Net } from '../facts/facts.ts';
import type { NftTable } from '../facts/firewall.ts';
import { every, isDevice, isLocal, type Maybe, not, type Packet, some, isWithin } from './packet.ts';

type NftObject = NftTable['objects'][number];

/** A native nft base chain that drops or rejects a packet. */
export interface Drop {
  /** `nft inet lab fwd` */
  chain: string;
  table: NftTable;
  name: string;
  /** null: the chain's policy. */
  rule: NftObject | null;
}

/** Native nft tables: all but those that iptables-nft owns. */
export const nativeTables = (net: Net, families: readonly string[] = ['ip', 'inet']): NftTable[] =>
  net.nft.filter(
    ({ family, name }) =>
      families.includes(family) &&
      (net.notIptables.includes(`${family} ${name}`) ||
        !net.iptables.some((table) => table.variant === 'nft' && table.family === family && table.name === name)),
  );

/** The first native base chain on a hook that certainly drops the packet. */
export function findNftDrop(net: Net, hook: string, packet: Packet, families?: readonly string[]): Drop | undefined {
  for (const table of nativeTables(net, families)) {
    for (const base of table.objects.filter((entry) => entry.type === 'chain' && entry.hook === hook)) {
      const name = base.chain ?? '';
      const course = { table, net, packet, certain: true };
      const end = walk(course, name, 0);
      const drops = end ? end.verdict === 'drop' || end.verdict === 'reject' : base.policy === 'drop';
      const chain = `nft ${table.family} ${table.name} ${name}`;
      if (drops && course.certain) return { chain, table, name, rule: end?.rule ?? null };
    }
  }
  return undefined;
}

interface Course {
  table: NftTable;
  net: Net;
  packet: Packet;
  certain: boolean;
}

interface End {
  verdict: string;
  rule: NftObject;
}

const Expressions = z.object({ rule: z.object({ expr: z.array(z.record(z.string(), z.unknown())) }) });
const Jump = z.object({ target: z.string() });
const ends = new Set(['accept', 'drop', 'reject', 'dnat', 'snat', 'masquerade', 'redirect', 'queue']);

function walk(course: Course, chain: string, depth: number): End | undefined {
  const rules = course.table.objects.filter((entry) => entry.type === 'rule' && entry.chain === chain);
  for (const rule of depth < 16 ? rules : []) {
    const parsed = Expressions.safeParse(parse(rule.text));
    const expressions = parsed.data?.rule.expr ?? [];
    const match = parsed.success
      ? every(expressions.map((one) => (counting(one) ? undefined : testMatch(one['match'], course))))
      : undefined;
    if (match === false) continue;
    const verdict = expressions.flatMap((one) => Object.keys(one)).find((key) => ends.has(key));
    const jump = expressions.map((one) => Jump.safeParse(one['jump'] ?? one['goto']).data?.target).find(Boolean);
    if (expressions.some((one) => 'return' in one) && match) return undefined;
    if (match === undefined) {
      if (verdict !== undefined || jump !== undefined) course.certain = false;
      continue;
    }
    if (verdict !== undefined) return { verdict, rule };
    const deeper = jump === undefined ? undefined : walk(course, jump, depth + 1);
    if (deeper) return deeper;
  }
  return undefined;
}

/** Does an expression depend on how much traffic came before? Its result can't be known here. */
const counting = (expression: Record<string, unknown>): boolean =>
  ['limit', 'ct count', 'quota'].some((key) => key in expression);

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const Match = z.object({ op: z.string(), left: z.record(z.string(), z.unknown()), right: z.unknown() });
const Key = z.object({ key: z.string() });
const Payload = z.object({ protocol: z.string(), field: z.string() });
const Fib = z.object({ result: z.literal('type'), flags: z.union([z.string(), z.array(z.string())]) });

/** Does the packet pass one expression? One that is not a match (undefined) restricts nothing. */
function testMatch(expression: unknown, course: Course): Maybe {
  if (expression === undefined) return true;
  const { data } = Match.safeParse(expression);
  if (!data) return undefined;
  const test = createTest(data.left, course);
  const list = Array.isArray(data.right) ? data.right : findSet(data.right);
  const one = test ? some(list.map(test)) : undefined;
  return data.op === '!=' ? not(one) : one;
}

const findSet = (right: unknown): unknown[] =>
  z.object({ set: z.array(z.unknown()) }).safeParse(right).data?.set ?? [right];

type Test = (value: unknown) => Maybe;

function createTest(left: Record<string, unknown>, { packet, net }: Course): Test | undefined {
  const meta = Key.safeParse(left['meta']).data?.key;
  if (meta === 'iifname' || meta === 'iif') return named(packet.in);
  if (meta === 'oifname' || meta === 'oif') return named(packet.out);
  if (meta === 'l4proto') return (value) => value === packet.protocol;
  if (Key.safeParse(left['ct']).data?.key === 'status')
    return (value) => (value === 'dnat' ? packet.translated === true : undefined);
  if (Key.safeParse(left['ct']).data?.key === 'state') return (value) => value === packet.state.toLowerCase();
  const fib = Fib.safeParse(left['fib']).data;
  if (fib) {
    const address = [fib.flags].flat().includes('daddr') ? packet.target : packet.source;
    return (value) => (value === 'local' ? isLocal(net, address) : undefined);
  }
  const payload = Payload.safeParse(left['payload']).data;
  if (payload?.protocol === 'ip') return addressed(payload.field, packet);
  if (payload && ['tcp', 'udp', 'icmp'].includes(payload.protocol)) return ported(payload, packet);
  return undefined;
}

const named =
  (device: string | undefined): Test =>
  (value) =>
    device !== undefined && typeof value === 'string' && isDevice(value.replace(/\*$/, '+'), device);

const Prefix = z.object({ prefix: z.object({ addr: z.string(), len: z.number() }) });

function addressed(field: string, packet: Packet): Test | undefined {
  if (field === 'protocol') return (value) => value === packet.protocol;
  const address = field === 'saddr' ? packet.source : field === 'daddr' ? packet.target : undefined;
  if (address === undefined) return undefined;
  return (value) => {
    const network = Prefix.safeParse(value).data?.prefix;
    if (network) return isWithin(address, `${network.addr}/${network.len}`);
    return typeof value === 'string' && !value.startsWith('@') ? value === address : undefined;
  };
}

function ported({ protocol, field }: z.infer<typeof Payload>, packet: Packet): Test {
  if (protocol !== packet.protocol) return () => false;
  if (protocol === 'icmp') return (value) => (value === 'echo-request' ? packet.state === 'NEW' : undefined);
  const port = field === 'dport' ? packet.targetPort : packet.sourcePort;
  return (value) => (typeof value === 'number' && port !== undefined ? value === port : undefined);
}
