import type { Evidence } from '../probes/evidence.ts';
import type { Facts } from './facts.ts';

/** What the digits of a fingerprint stand for, in their order: PARTS in program/5-steady.py. */
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
  const during = movedBetween(before, after);
  return during === null ? null : `${during} changed while experiments were made`;
}
