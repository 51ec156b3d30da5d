import type { Facts } from '../facts/facts.ts';
import type { Table } from '../facts/firewall.ts';
import type { Condition } from '../probes/copies.ts';

type Variant = Table['variant'];

export const bridgeNfSetting = 'net/bridge/bridge-nf-call-iptables';

/**
 * The conditions that a lab must hold under, and the lab host's own, which is the control: pure, from what is there.
 * FORWARD ACCEPT always. FORWARD DROP if the lab host was handed over with it, or where the learner has an accepting rule
 * of their own in iptables' FORWARD: rules that someone wrote must be enough, and nobody has to write any under ACCEPT.
 * bridge-nf 1 does not exist on a kernel without br_netfilter.
 */
export function conditionsOf(facts: Facts, baseline: Facts): { demanded: Condition[]; own: Condition } {
  const drop = (['nft', 'legacy'] as const).filter(
    (variant) => policyOf(baseline, variant) === 'DROP' || accepts(facts, baseline, variant),
  );
  const dropsNow = policyOf(facts, 'nft') === 'DROP' || policyOf(facts, 'legacy') === 'DROP';
  const forwardPolicy = dropsNow ? 'drop' : 'accept';
  const bridgeNf = facts.here.sysctls[bridgeNfSetting] === '1' ? '1' : '0';
  const values = facts.here.sysctls[bridgeNfSetting] === undefined ? (['0'] as const) : (['0', '1'] as const);
  const policies = drop.length > 0 ? (['accept', 'drop'] as const) : (['accept'] as const);
  const isOwn = (one: Omit<Condition, 'own' | 'drop'>) =>
    one.forwardPolicy === forwardPolicy && one.bridgeNf === bridgeNf;
  const demanded = policies.flatMap((policy) =>
    values.map((value): Condition => {
      const condition = { forwardPolicy: policy, bridgeNf: value };
      return { ...condition, own: isOwn(condition), drop: policy === 'drop' ? drop : [] };
    }),
  );
  return { demanded, own: demanded.find(isOwn) ?? { forwardPolicy, bridgeNf, own: true, drop: [] } };
}

const filterOf = (facts: Facts, variant: Variant): Table | undefined =>
  facts.here.iptables.find((table) => table.family === 'ip' && table.variant === variant && table.name === 'filter');

const policyOf = (facts: Facts, variant: Variant): string | null | undefined =>
  filterOf(facts, variant)?.chains.find(({ name }) => name === 'FORWARD')?.policy;

/** Is there a rule of the learner's own that accepts, in FORWARD or in a chain that it leads to? */
function accepts(facts: Facts, baseline: Facts, variant: Variant): boolean {
  const rulesOf = (table: Table | undefined, chain: string): string[] =>
    table?.chains.find(({ name }) => name === chain)?.rules ?? [];
  const [now, before] = [filterOf(facts, variant), filterOf(baseline, variant)];
  const reached = ['FORWARD'];
  for (const chain of reached) {
    const given = new Set(rulesOf(before, chain));
    for (const rule of rulesOf(now, chain)) {
      const target = targetOf(rule);
      if (target === 'ACCEPT' && !given.has(rule)) return true;
      if (target !== undefined && !reached.includes(target) && now?.chains.some(({ name }) => name === target)) {
        reached.push(target);
      }
    }
  }
  return false;
}

/** What a rule of iptables-save does: the word behind -j or -g, quoted texts aside. */
function targetOf(rule: string): string | undefined {
  const words = rule.match(/"(?:\\.|[^"\\])*"|\S+/g) ?? [];
  return words[words.findIndex((word) => word === '-j' || word === '-g') + 1 || words.length];
}
