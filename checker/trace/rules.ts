import type { Net } from '../facts/facts.ts';
import type { NftTable } from '../facts/nftables.ts';
import type { Rule } from './seen.ts';

/** The table that a message is about: a packet's own family says no more than bridge or not. */
export function tableOf(
  net: Net | null | undefined,
  rule: Pick<Rule, 'table' | 'chain' | 'bridge'>,
): NftTable | undefined {
  const families = rule.bridge ? ['bridge'] : ['ip', 'inet'];
  return families
    .flatMap((family) => net?.nft.filter((table) => table.family === family && table.name === rule.table) ?? [])
    .find((table) => table.objects.some(({ type, chain }) => type === 'chain' && chain === rule.chain));
}

/** `prerouting`, `forward`, ...; null for a chain without a hook. */
export const hookOf = (table: NftTable | undefined, chain: string | null): string | null =>
  table?.objects.find((entry) => entry.type === 'chain' && entry.chain === chain)?.hook ?? null;

/** A rule as its own tool prints it: iptables hides its matches from nft. */
export function ruleText(net: Net | null | undefined, table: NftTable | undefined, rule: Rule): string {
  const chain = table?.objects.filter((entry) => entry.type === 'rule' && entry.chain === rule.chain) ?? [];
  const at = chain.findIndex(({ handle }) => handle === rule.handle);
  const kept = net?.iptables
    .find((one) => one.variant === 'nft' && one.family === table?.family && one.name === table.name)
    ?.chains.find(({ name }) => name === rule.chain)?.rules;
  const same = kept?.length === chain.length ? kept[at] : undefined;
  return same ?? chain[at]?.shown ?? `rule ${rule.handle ?? '?'}, which is gone`;
}
