import { z } from 'zod';

/** One object of an nft table: a chain, a rule, a set, ... `text` is canonical: no handle, no counter. */
const NftObject = z.object({
  /** `chain`, `rule`, `set`, `map`, `flowtable`, ... */
  type: z.string(),
  chain: z.string().nullable(),
  text: z.string(),
  /** The same as nft prints it; what a person reads. */
  shown: z.string(),
  /** A base chain's hook and policy. */
  hook: z.string().nullable(),
  policy: z.string().nullable(),
  /** The kernel's number for it in its table, to name a rule by when it is deleted; never compared. */
  handle: z.int().nullable(),
});

/** One nft table. The ones that iptables-nft keeps are here too, with the details of its matches hidden (`xt`). */
export const NftTable = z.object({ family: z.string(), name: z.string(), objects: z.array(NftObject) });
type NftObject = z.infer<typeof NftObject>;
export type NftTable = z.infer<typeof NftTable>;

const Entry = z.record(z.string(), z.looseObject({ family: z.string().optional(), table: z.string().optional() }));
const Ruleset = z.object({ nftables: z.array(Entry) });

/** Numbers that the kernel assigns or counts: libnftables-json(5). */
const unstable = new Set(['handle', 'packets', 'bytes', 'used', 'expires', 'metainfo', 'index']);

/** From `nft -j list ruleset` and, for people, `nft -a list ruleset`. */
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
    if (type !== 'table') table.objects.push(objectOf(type, body, texts.get(`${key} ${word(body['handle'])}`)));
  }
  return [...tables.values()];
}

function objectOf(type: string, body: Record<string, unknown>, shown: string | undefined): NftObject {
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

/** Rules by `FAMILY TABLE HANDLE`; handles are unique in a table. */
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
