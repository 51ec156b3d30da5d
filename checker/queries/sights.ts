import type { Evidence, Result, Sight } from '../evidence/evidence.ts';
import type { ProbeId } from '../evidence/probes.ts';

/** The result of a probe that the check declared. */
export function findResult(evidence: Evidence, probe: ProbeId): Result {
  const result = evidence.results[probe];
  if (!result) throw new Error(`the check reads ${probe}, which it does not declare`);
  return result;
}

/** Where a probe's packets were seen, in the order of their first sight. */
export const findSights = (evidence: Evidence, probe: ProbeId, where: Partial<Sight> = {}): Sight[] =>
  evidence.seen.filter(
    (sight) =>
      sight.probe === probe && Object.entries(where).every(([key, value]) => sight[key as keyof Sight] === value),
  );

/** A packet by which a probe asks for a connection or for a page: its SYN, known by its port, or its request, by its token. */
export const findAskedAt = (evidence: Evidence, probe: ProbeId, where: Partial<Sight>): Sight | undefined =>
  findSights(evidence, probe, where).find(({ what }) => what === 'syn' || what === 'request');

/** One line about an outcome, in the kernel's words. */
export function describeOutcome(result: Result): string {
  if (result.ok) return `answered in ${result.ms} ms`;
  const unreachable = result.unreachable
    ? `, ${result.unreachable.from} says unreachable (code ${result.unreachable.code})`
    : '';
  return `${(result.error ?? 'failed').toLowerCase()}${unreachable}`;
}

/** What a sender put out first: a ping, a connection's SYN, a query. */
export const openingPackets = new Set<Sight['what']>(['echo', 'syn', 'query']);

/** The stations at which the way out of a probe's packets was seen: `veth-ct1 in, br0 in, enp1s0 out`. */
function listStations(evidence: Evidence, probe: ProbeId): string[] {
  const seen = findSights(evidence, probe).filter((sight) => openingPackets.has(sight.what));
  return [...new Set(seen.map((sight) => `${sight.in === 'root' ? 'host' : sight.in} ${sight.device} ${sight.way}`))];
}

/** One line about where a probe's packets were seen. */
export const describeWay = (evidence: Evidence, probe: ProbeId): string[] => {
  const stations = listStations(evidence, probe);
  return stations.length > 0 ? [`seen at: ${stations.join(', ')}`] : ['no packet of it was seen on any link'];
};

/** Did packets get lost on our side of the observation? Then what was not seen proves nothing. */
export const isBlind = (evidence: Evidence, where: string): boolean =>
  evidence.over || (evidence.drops[where] ?? 1) > 0;

/** Our own fault, or the world's: the control experiment inside the world fails. */
export const worldIsDown = (evidence: Evidence): boolean => !findResult(evidence, 'world>site').ok;

/** Does somebody ask for an address by ARP in a namespace, and nobody answer? */
export function isUnanswered(evidence: Evidence, where: string, address: string): boolean {
  const arp = evidence.seen.filter((sight) => sight.probe === null && sight.in === where);
  return (
    arp.some((sight) => sight.what === 'who-has' && sight.way === 'out' && sight.target === address) &&
    !arp.some((sight) => sight.what === 'is-at' && sight.source === address)
  );
}
