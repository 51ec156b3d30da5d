import { z } from 'zod';

/** One chain of an iptables table. `policy` null: a chain that somebody made (`-N`). */
const Chain = z.object({ name: z.string(), policy: z.string().nullable(), rules: z.array(z.string()) });

/** One table as iptables-save shows it, packet counters left out. Rules are without their `-A CHAIN`. */
export const Table = z.object({
  family: z.enum(['ip', 'ip6']),
  /** Which tool keeps it: two sets of tables can be live at once. */
  variant: z.enum(['nft', 'legacy']),
  name: z.string(),
  chains: z.array(Chain),
});
type Chain = z.infer<typeof Chain>;
export type Table = z.infer<typeof Table>;

/**
 * From iptables-save(8), either variant. Also says which nft tables hold what iptables can't show (iptables/nft.c:
 * "# Table `nat' is incompatible, use 'nft' tool.", "contains incompatible base-chains"): of those, little or nothing
 * is in the answer.
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
