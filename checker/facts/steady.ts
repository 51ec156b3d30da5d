import type { Evidence } from '../probes/evidence.ts';
import type { Facts } from './facts.ts';

/** What the digits of a fingerprint stand for, in their order: PARTS in agent/fingerprint.py. */
const parts = [
  'namespaces',
  'links',
  'addresses',
  'routes',
  'routing rules',
  'nftables rules',
  'iptables-legacy rules',
  'kernel settings',
  'listening sockets',
  'resolver files',
];

/** The parts in which two fingerprints differ, as words; null: none. */
export function movedBetween(before: string, after: string): string | null {
  if (before === after) return null;
  const [old, now] = [before.split('-'), after.split('-')];
  return parts.filter((_, at) => old[at] !== now[at]).join(', ') || 'something';
}

/** What changed between the beginning of a snapshot and the end of the experiments; null: nothing, or it is not known. */
export function unsteady(facts: Facts, evidence: Evidence | null): string | null {
  const problem = facts.problems.find(({ source }) => source === 'steady');
  if (problem) return problem.what;
  if (!evidence?.steady || facts.steady === null) return null;
  const { before, after } = evidence.steady;
  const between = movedBetween(facts.steady, before);
  if (between !== null) return `${between} changed between the snapshot and the experiments`;
  const told = changesIn(facts, evidence);
  if (told.length > 0) return `${told.slice(0, 3).join(', ')} while experiments were made`;
  const during = movedBetween(before, after);
  return during === null ? null : `${during} changed while experiments were made`;
}

/** What the kernel told of, also of what was taken back before the end. A server that is started anew for each client was there before. */
function changesIn({ here, namespaces }: Facts, { changes }: Evidence): string[] {
  const known = [here, ...namespaces.flatMap(({ net }) => (net ? [net] : []))].flatMap(({ sockets }) => sockets);
  const began = new Set(known.map(({ protocol, address, port }) => `${protocol} ${address}:${port} ${listening}`));
  return changes
    .filter(({ what }) => !began.has(what))
    .map((change) => `${change.what} (${change.in === 'root' ? 'on the lab host' : `in ${change.in}`})`);
}

/** As agent/changes.py says it. */
const listening = 'began to be listened on';
