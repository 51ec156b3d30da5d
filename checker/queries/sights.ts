import type { Evidence, Result, Sight } from '../evidence/evidence.ts';
import type { ProbeId } from '../evidence/probes.ts';

/** The result of a probe. Throws when there is none: the check did not declare the probe. */
export function findResult(evidence: Evidence, probe: ProbeId): Result {
  const result = evidence.results[probe];
  if (!result) throw new Error(`the check reads ${probe}, which it does not declare`);
  return result;
}

/** The places where a probe's packets were seen, in the order of the first sight. */
export const findSights = (evidence: Evidence, probe: ProbeId, where: Partial<Sight> = {}): Sight[] =>
  evidence.seen.filter(
    (sight) =>
      sight.probe === probe && Object.entries(where).every(([key, value]) => sight[key as keyof Sight] === value),
  );

/** The first sight of a probe's SYN (identified by its port) or HTTP request (identified by its token). */
export const findAskedAt = (evidence: Evidence, probe: ProbeId, where: Partial<Sight>): Sight | undefined =>
  findSights(evidence, probe, where).find(({ what }) => what === 'syn' || what === 'request');

/** One line about a result, in the kernel's words. */
export function describeOutcome(result: Result): string {
  if (result.ok) return `answered in ${result.ms} ms`;
  const unreachable = result.unreachable
    ? `, ${result.unreachable.from} says unreachable (code ${result.unreachable.code})`
    : '';
  return `${(result.error ?? 'failed').toLowerCase()}${unreachable}`;
}

/** The kinds of a sender's first packet: a ping, a connection's SYN, a query. */
export const openingPackets = new Set<Sight['what']>(['echo', 'syn', 'query']);

/** The places where a probe's first packets were seen: `host br0 in`, `host enp1s0 out`. */
function listStations(evidence: Evidence, probe: ProbeId): string[] {
  const seen = findSights(evidence, probe).filter((sight) => openingPackets.has(sight.what));
  return [...new Set(seen.map((sight) => `${sight.in === 'root' ? 'host' : sight.in} ${sight.device} ${sight.way}`))];
}

/** One line about where a probe's packets were seen. */
export const describeWay = (evidence: Evidence, probe: ProbeId): string[] => {
  const stations = listStations(evidence, probe);
  return stations.length > 0 ? [`seen at: ${stations.join(', ')}`] : ['no packet of it was seen on any link'];
};

/**
 * Did the capture in a namespace lose packets, or was there none? Then a packet that was not seen proves nothing. `run`:
 * experiments on the lab host or in a copy. Without `where`: in any of the captured namespaces.
 */
export const isBlind = (run: Pick<Evidence, 'over' | 'drops'>, where?: string): boolean =>
  run.over || (where === undefined ? Object.values(run.drops) : [run.drops[where] ?? 1]).some((count) => count > 0);

/** Does the control experiment inside the world fail? Then the fault is the world's or ours, not the learner's. */
export const worldIsDown = (evidence: Evidence): boolean => !findResult(evidence, 'world>site').ok;

/** Did an ARP request for this address leave a link of a namespace without an answer? */
export function isUnanswered(evidence: Evidence, where: string, address: string): boolean {
  const arp = evidence.seen.filter((sight) => sight.probe === null && sight.in === where);
  return (
    arp.some((sight) => sight.what === 'who-has' && sight.way === 'out' && sight.target === address) &&
    !arp.some((sight) => sight.what === 'is-at' && sight.source === address)
  );
}
