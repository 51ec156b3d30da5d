import { type Plan, world } from '@handwired/host';
import type { Facts } from '../facts/facts.ts';
import type { Evidence, Result, Sight } from '../probes/evidence.ts';
import type { ProbeId } from '../probes/list.ts';

/** The result of a probe that the check declared. */
export function resultOf(evidence: Evidence, probe: ProbeId): Result {
  const result = evidence.results[probe];
  if (!result) throw new Error(`the check reads ${probe}, which it does not declare`);
  return result;
}

/** Where a probe's packets were seen, in the order of their first sight. */
export const sightsOf = (evidence: Evidence, probe: ProbeId, where: Partial<Sight> = {}): Sight[] =>
  evidence.seen.filter(
    (sight) =>
      sight.probe === probe && Object.entries(where).every(([key, value]) => sight[key as keyof Sight] === value),
  );

/** One line about an outcome, in the kernel's words. */
export function outcomeOf(result: Result): string {
  if (result.ok) return `answered in ${result.ms} ms`;
  const unreachable = result.unreachable
    ? `, ${result.unreachable.from} says unreachable (code ${result.unreachable.code})`
    : '';
  return `${(result.error ?? 'failed').toLowerCase()}${unreachable}`;
}

/** What a sender put out first: a ping, a connection's SYN, a query. */
export const first = new Set<Sight['what']>(['echo', 'syn', 'query']);

/** The stations at which the way out of a probe's packets was seen: `veth-ct1 in, br0 in, enp1s0 out`. */
function stationsOf(evidence: Evidence, probe: ProbeId): string[] {
  const seen = sightsOf(evidence, probe).filter((sight) => first.has(sight.what));
  return [...new Set(seen.map((sight) => `${sight.in === 'root' ? 'host' : sight.in} ${sight.device} ${sight.way}`))];
}

export const wayOf = (evidence: Evidence, probe: ProbeId): string[] => {
  const stations = stationsOf(evidence, probe);
  return stations.length > 0 ? [`seen at: ${stations.join(', ')}`] : ['no packet of it was seen on any link'];
};

/** Did packets get lost on our side of the observation? Then what was not seen proves nothing. */
export const blind = (evidence: Evidence, where: string): boolean => evidence.over || (evidence.drops[where] ?? 1) > 0;

/** Our own fault, or the world's: the control experiment inside the world fails. */
export const worldIsDown = (evidence: Evidence): boolean => !resultOf(evidence, 'world>site').ok;

/** `DROP` where iptables' FORWARD chain, of either variant, or a native base chain on that hook drops by policy. */
export function forwardDrops(facts: Facts): string | undefined {
  for (const table of facts.here.iptables) {
    const chain = table.chains.find(({ name }) => name === 'FORWARD');
    if (table.family === 'ip' && chain?.policy === 'DROP') return `iptables (${table.variant}) ${table.name} FORWARD`;
  }
  for (const table of facts.here.nft) {
    const chain = table.objects.find((entry) => entry.hook === 'forward' && entry.policy === 'drop');
    if (chain && ['ip', 'inet'].includes(table.family)) return `nft ${table.family} ${table.name} ${chain.chain ?? ''}`;
  }
  return undefined;
}

const forwardsFrom = (facts: Facts, device: string): boolean =>
  facts.here.sysctls[`net/ipv4/conf/${device}/forwarding`] === '1';

/** Does somebody ask for an address by ARP in a namespace, and nobody answer? */
export function unanswered(evidence: Evidence, where: string, address: string): boolean {
  const arp = evidence.seen.filter((sight) => sight.probe === null && sight.in === where);
  return (
    arp.some((sight) => sight.what === 'who-has' && sight.way === 'out' && sight.target === address) &&
    !arp.some((sight) => sight.what === 'is-at' && sight.source === address)
  );
}

/**
 * Why a container's packets do not come back from beyond the uplink: the first hop that breaks, and its cause where the
 * evidence and the facts name one. The hops: eth0 -> veth -> bridge -> routing -> FORWARD -> POSTROUTING -> uplink.
 */
export function whyNoEgress(the: { facts: Facts; evidence: Evidence; plan: Plan }, probe: ProbeId): string | undefined {
  const { facts, evidence, plan } = the;
  const uplink = world.uplink.name;
  const out = sightsOf(evidence, probe, { in: 'root', device: uplink, way: 'out' }).find((sight) =>
    first.has(sight.what),
  );
  const back = sightsOf(evidence, probe, { in: 'root', device: uplink, way: 'in' });
  const entered = sightsOf(evidence, probe, { in: 'root', device: plan.bridge, way: 'in' }).length > 0;
  if (!resultOf(evidence, 'host>site').ok)
    return 'The lab host itself does not reach the world: look at its uplink and its default route.';
  const drops = forwardDrops(facts);
  if (back.length > 0) {
    return `The answer comes back to ${uplink} and not to ${plan.bridge}: FORWARD lets the way out pass and not the way back (ESTABLISHED).`;
  }
  if (out && out.source !== world.uplink.address) {
    return `The packet leaves ${uplink} with the source ${out.source}: no MASQUERADE or SNAT took hold of it, and the world has no way back there.${translation(facts)}`;
  }
  if (out) return `The packet leaves ${uplink}, and nothing comes back.`;
  if (!entered) return `The packet does not arrive at ${plan.bridge}.`;
  if (!forwardsFrom(facts, plan.bridge)) {
    return `It ends between ${plan.bridge} and ${uplink}: forwarding is off for ${plan.bridge} (net.ipv4.ip_forward is ${facts.here.sysctls['net/ipv4/ip_forward'] ?? 'unknown'}).`;
  }
  if (drops)
    return `It ends between ${plan.bridge} and ${uplink}: the policy of ${drops} is DROP, and no rule accepted it.`;
  return `It ends between ${plan.bridge} and ${uplink}: routing, or a rule in FORWARD.`;
}

/** A MASQUERADE that waits at a link which is not there: the seed's `-o ethX`. */
function translation(facts: Facts): string {
  for (const table of facts.here.iptables.filter(({ name }) => name === 'nat')) {
    for (const rule of table.chains.flatMap((chain) => chain.rules)) {
      const device = /(?<!! )-o (\S+)/.exec(rule)?.[1];
      if (/-j (MASQUERADE|SNAT)/.test(rule) && device && !facts.here.links.some(({ name }) => name === device)) {
        return ` A rule translates for -o ${device}: there is no such link.`;
      }
    }
  }
  return '';
}
