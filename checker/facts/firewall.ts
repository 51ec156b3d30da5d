import { z } from 'zod';

/** One chain of an iptables table. `policy` is null for a user-defined chain (`-N`). */
const Chain = z.object({ name: z.string(), policy: z.string().nullable(), rules: z.array(z.string()) });

/** One table as iptables-save shows it, without packet counters. Rules lack their `-A CHAIN`. */
export const Table = z.object({
  family: z.enum(['ip', 'ip6']),
  /** Which iptables owns the table. Tables of both variants can be active at once. */
  variant: z.enum(['nft', 'legacy']),
  name: z.string(),
  chains: z.array(Chain),
});
type Chain = z.infer<typeof Chain>;
export type Table = z.infer<typeof Table>;

/**
 * Parses iptables-save(8) of either variant. `incompatible` names the nft tables that iptables can't show
 * (iptables/nft.c: "# Table `nat' is incompatible, use 'nft' tool.", "contains incompatible base-chains"). `tables` has
 * little or nothing of those.
 */
export function parseSave(
  text: string,
  family: Table['family'],
  variant: Table['variant'],
): { tables: Table[]; incompatible: string[] } {
  const tables: Table[] = [];
  const incompatible: string[] = [];
  const chains = new Map<string, Chain>();
  for (const line of text.split('\n')) {
    const trouble = /^# Table `([^']+)' (?:is|contains) incompatible/.exec(line);
    if (trouble?.[1] !== undefined) incompatible.push(trouble[1]);
    else if (line.startsWith('*')) {
      chains.clear();
      tables.push({ family, variant, name: line.slice(1), chains: [] });
    } else if (line.startsWith(':')) declare(line, tables.at(-1), chains);
    else append(line, chains);
  }
  return { tables, incompatible };
}

function declare(line: string, table: Table | undefined, chains: Map<string, Chain>): void {
  const [name = '', policy = '-'] = line.slice(1).split(' ');
  const chain = { name, policy: policy === '-' ? null : policy, rules: [] };
  chains.set(name, chain);
  table?.chains.push(chain);
}

function append(line: string, chains: Map<string, Chain>): void {
  const rule = /^(?:\[\d+:\d+\] )?-A (\S+) ?(.*)$/.exec(line);
  chains.get(rule?.[1] ?? '')?.rules.push(rule?.[2] ?? '');
}

/** One object of an nft table: a chain, a rule, a set, ... `text` is its JSON without handles and counters. */
const NftObject = z.object({
  /** `chain`, `rule`, `set`, `map`, `flowtable`, ... */
  type: z.string(),
  chain: z.string().nullable(),
  text: z.string(),
  /** The object as nft prints it, for people. */
  shown: z.string(),
  /** A base chain's hook and policy. */
  hook: z.string().nullable(),
  policy: z.string().nullable(),
  /** The kernel's number for the object in its table. `nft delete rule` needs it. It is never compared. */
  handle: z.int().nullable(),
});

/** One nft table. Tables of iptables-nft are included, but nft hides the details of their matches (`xt`). */
export const NftTable = z.object({ family: z.string(), name: z.string(), objects: z.array(NftObject) });
type NftObject = z.infer<typeof NftObject>;
export type NftTable = z.infer<typeof NftTable>;

const Entry = z.record(z.string(), z.looseObject({ family: z.string().optional(), table: z.string().optional() }));
const Ruleset = z.object({ nftables: z.array(Entry) });

/** Keys of numbers that the kernel assigns or counts: libnftables-json(5). */
const unstable = new Set(['handle', 'packets', 'bytes', 'used', 'expires', 'metainfo', 'index']);

/** Parses `nft -j list ruleset`. `printed` is the output of `nft -a list ruleset`; it gives the texts for people. */
export function parseNft(json: unknown, printed: string): NftTable[] {
  const texts = textsByHandle(printed);
  const tables = new Map<string, NftTable>();
  for (const entry of Ruleset.parse(json).nftables) {
    const [type, body] = Object.entries(entry)[0] ?? [];
    if (type === undefined || body === undefined || type === 'metainfo') continue;
    const family = body.family ?? '';
    const name = type === 'table' ? word(body['name']) : (body.table ?? '');
    const key = `${family} ${name}`;
    const table = tables.get(key) ?? { family, name, objects: [] };
    tables.set(key, table);
    if (type !== 'table') table.objects.push(readObject(type, body, texts.get(`${key} ${word(body['handle'])}`)));
  }
  return [...tables.values()];
}

function readObject(type: string, body: Record<string, unknown>, shown: string | undefined): NftObject {
  const text = JSON.stringify({ [type]: body }, (key, value: unknown) => (unstable.has(key) ? undefined : value));
  return {
    type,
    chain: type === 'chain' ? word(body['name']) : type === 'rule' ? word(body['chain']) : null,
    text,
    shown: shown ?? (type === 'rule' ? text : `${type} ${word(body['name'])}`),
    hook: typeof body['hook'] === 'string' ? body['hook'] : null,
    policy: typeof body['policy'] === 'string' ? body['policy'] : null,
    handle: Number.isSafeInteger(body['handle']) ? (body['handle'] as number) : null,
  };
}

/** Texts of rules by `FAMILY TABLE HANDLE`. Handles are unique in a table. */
function textsByHandle(printed: string): Map<string, string> {
  const found = new Map<string, string>();
  let table = '';
  for (const line of printed.split('\n')) {
    const head = /^table (\S+) (\S+) \{/.exec(line);
    if (head) table = `${head[1] ?? ''} ${head[2] ?? ''}`;
    const rule = /^\t\t(.*) # handle (\d+)$/.exec(line);
    if (rule) {
      found.set(`${table} ${rule[2] ?? ''}`, (rule[1] ?? '').replaceAll(/counter packets \d+ bytes \d+ ?/g, ''));
    }
  }
  return found;
}

const word = (value: unknown): string => (typeof value === 'string' || typeof value === 'number' ? String(value) : '');

const Tuple = z.object({
  source: z.string(),
  destination: z.string(),
  sourcePort: z.int().nullable(),
  destinationPort: z.int().nullable(),
});

/** One connection that conntrack tracks: the original direction and the expected reply. Never compared. */
export const Connection = z.object({ protocol: z.string(), original: Tuple, reply: Tuple });
export type Connection = z.infer<typeof Connection>;

/** Parses `conntrack -L -o extended`: at most 2000 connections. */
export function parseConnections(text: string): Connection[] {
  return text
    .split('\n')
    .slice(0, 2000)
    .flatMap((line) => {
      const [, , protocol] = line.split(/\s+/);
      const [original, reply] = [...line.matchAll(/src=(\S+) dst=(\S+)(?: sport=(\d{1,5})\b dport=(\d{1,5})\b)?/g)].map(
        readTuple,
      );
      return protocol && original && reply ? [{ protocol, original, reply }] : [];
    });
}

function readTuple(match: RegExpExecArray): Connection['original'] {
  const port = (digits: string | undefined): number | null => (digits === undefined ? null : Number(digits));
  return {
    source: match[1] ?? '',
    destination: match[2] ?? '',
    sourcePort: port(match[3]),
    destinationPort: port(match[4]),
  };
}
