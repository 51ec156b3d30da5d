import type { Sight } from '../evidence/evidence.ts';
import type { ProbeId } from '../evidence/probes.ts';
import type { Case, Station } from './check.ts';
import type { Hop, HopKind, Path, Which } from './paths.ts';

/** A path followed by one experiment: how far its packets were seen, and between which hops they end. */
export interface Walk {
  path: Path;
  /** undefined: no experiment was made, or none failed. Then nothing is known of any hop. */
  probe: ProbeId | undefined;
  hops: Hop[];
  /** How many of them were passed for certain. */
  passed: number;
  /** Those between the last place where a packet was seen and the first where it was not: one of them breaks. */
  open: Hop[];
  /** The first packet and its answer came through, and what followed did not. */
  later: boolean;
}

const going: ReadonlySet<Sight['what']> = new Set(['echo', 'syn', 'query', 'who-has']);
const coming: ReadonlySet<Sight['what']> = new Set(['echo-reply', 'syn-ack', 'answer']);

/** Follows a path by the first of its experiments that failed; `allowed`: those that the failed check looks at. */
export function walkPath(lab: Case, path: Path, allowed: readonly ProbeId[]): Walk | undefined {
  const hops = path.hops(lab);
  const tried = path.probes.filter((probe) => allowed.includes(probe) && lab.evidence.results[probe]);
  if (tried.length === 0) return { path, probe: undefined, hops, passed: 0, open: hops, later: false };
  for (const probe of tried) {
    const walk = { path, probe, hops, ...follow(lab, hops, probe) };
    if (walk.open.length > 0) return walk;
  }
  return undefined;
}

function follow(lab: Case, hops: readonly Hop[], probe: ProbeId): Pick<Walk, 'passed' | 'open' | 'later'> {
  const astray = hops.findIndex((hop) => wentWrong(lab, hop, probe));
  if (astray >= 0) return { passed: astray, open: hops.slice(astray, astray + 1), later: false };
  const seen = hops.map((hop) => seenPast(lab, hop, probe));
  const missed = hops.findIndex((hop, at) => hop.past && !seen[at]);
  const answered = lab.evidence.results[probe]?.ok === true;
  if (answered && missed < 0) return { passed: hops.length, open: [], later: false };
  // Where somebody else answered, the packet did not get past the first place that it should have passed.
  const last = answered ? seen.lastIndexOf(true, missed) : seen.lastIndexOf(true);
  const next = hops.findIndex((hop, at) => at > last && hop.past);
  const open = hops.slice(last + 1, next < 0 ? hops.length : next + 1);
  if (open.length > 0) return { passed: last + 1, open, later: false };
  return { passed: 0, open: hops.filter(({ past }) => !past), later: true };
}

/** Was a packet of the experiment seen past this hop, or, as long as none left for want of a neighbour, the ARP request for it? */
function seenPast({ evidence, plan }: Case, { past, back, source }: Hop, probe: ProbeId): boolean {
  const kinds = back ? coming : going;
  // ARP passes where FORWARD judges (bridge-nf): behind a packet of its own it says nothing about that packet's way.
  const left = evidence.seen.some((sight) => sight.probe === probe && going.has(sight.what));
  return evidence.seen.some(
    (sight) =>
      (sight.probe === probe || (!left && sight.probe === null && concerns(probe, sight, plan))) &&
      kinds.has(sight.what) &&
      past !== undefined &&
      sight.in === past.in &&
      sight.device === past.device &&
      sight.way === past.way &&
      (source === undefined || sight.source === source),
  );
}

/** ARP carries no token: an answer counts for no experiment, a question for those between the two addresses. */
function concerns(probe: ProbeId, sight: Sight, { ct1, ct2, gateway }: Case['plan']): boolean {
  if (sight.what !== 'who-has') return false;
  const [from = '', to = ''] = probe.split('>');
  const at: Record<string, string> = { ct1: ct1.address, ct2: ct2.address, gateway, server: ct1.address };
  return sight.source === (at[from] ?? gateway) && sight.target === at[to];
}

/** It came out of there with another source than it must have, or another name was asked for. */
function wentWrong({ evidence }: Case, { kind, past, source }: Hop, probe: ProbeId): boolean {
  if (kind === 'names') return evidence.results[probe]?.foundAs !== undefined;
  if (source === undefined || !past) return false;
  const out = evidence.seen.filter(
    (sight) => sight.probe === probe && going.has(sight.what) && sight.in === past.in && sight.device === past.device,
  );
  return out.some((sight) => sight.way === past.way) && !out.some((sight) => sight.source === source);
}

/** May the packet end at such a place? Without an experiment nothing speaks against it. */
export const mayEndAt = ({ open }: Walk, kind: HopKind, back?: boolean, which?: Which): boolean =>
  open.some(
    (hop) =>
      hop.kind === kind && (back === undefined || hop.back === back) && (which === undefined || hop.which === which),
  );

/** The path up to a hop that breaks. */
export function trailTo({ hops, passed, probe }: Walk, broken: Hop): Station[] {
  const end = hops.indexOf(broken);
  if (probe === undefined || end < 0) return [];
  // Where a cause is found, what lies between the last sight and it did its work.
  return hops
    .slice(0, Math.max(end, Math.min(passed, end)) + 1)
    .map((hop, at) => ({ hop: hop.label, passed: at < end }));
}
