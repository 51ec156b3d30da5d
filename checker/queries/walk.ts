import type { Sight } from '../evidence/evidence.ts';
import type { ProbeId } from '../evidence/probes.ts';
import type { Case, Station } from './check.ts';
import type { Hop, HopKind, Path, Which } from './paths.ts';

/** The walk of one experiment's packets along a path: how far they were seen, and between which hops they ended. */
export interface Walk {
  path: Path;
  /** undefined: no experiment of the path was made, so nothing is known about any hop. */
  probe: ProbeId | undefined;
  hops: Hop[];
  /** How many hops the packet certainly passed. */
  passed: number;
  /** The hops after the last place that saw a packet, up to the first place that did not. One of them breaks. */
  open: Hop[];
  /** True: the first packet and its answer came through, but later packets did not. */
  later: boolean;
}

const going: ReadonlySet<Sight['what']> = new Set(['echo', 'syn', 'query', 'who-has']);
const coming: ReadonlySet<Sight['what']> = new Set(['echo-reply', 'syn-ack', 'answer']);

/** Follows the first of a path's experiments that failed, among those that the failed check makes (`allowed`). */
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
  // When somebody else answered, the packet did not get past the first place that did not see it.
  const last = answered ? seen.lastIndexOf(true, missed) : seen.lastIndexOf(true);
  const next = hops.findIndex((hop, at) => at > last && hop.past);
  const open = hops.slice(last + 1, next < 0 ? hops.length : next + 1);
  if (open.length > 0) return { passed: last + 1, open, later: false };
  return { passed: 0, open: hops.filter(({ past }) => !past), later: true };
}

/** Was a packet of the experiment seen past this hop? If no packet could leave for lack of a neighbour, ARP counts. */
function seenPast({ evidence, plan }: Case, { past, back, source }: Hop, probe: ProbeId): boolean {
  const kinds = back ? coming : going;
  // ARP passes where FORWARD judges (bridge-nf). Once a packet has left, ARP says nothing about that packet's way.
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

/** ARP carries no token. A request counts for experiments between its two addresses; an answer counts for none. */
function concerns(probe: ProbeId, sight: Sight, { ct1, ct2, gateway }: Case['plan']): boolean {
  if (sight.what !== 'who-has') return false;
  const [from = '', to = ''] = probe.split('>');
  const at: Record<string, string> = { ct1: ct1.address, ct2: ct2.address, gateway, server: ct1.address };
  return sight.source === (at[from] ?? gateway) && sight.target === at[to];
}

/** Did the packet leave the hop only with a wrong source, or was another name looked up? */
function wentWrong({ evidence }: Case, { kind, past, source }: Hop, probe: ProbeId): boolean {
  if (kind === 'names') return evidence.results[probe]?.foundAs !== undefined;
  if (source === undefined || !past) return false;
  const out = evidence.seen.filter(
    (sight) => sight.probe === probe && going.has(sight.what) && sight.in === past.in && sight.device === past.device,
  );
  return out.some((sight) => sight.way === past.way) && !out.some((sight) => sight.source === source);
}

/** May the packet end at such a hop? Without an experiment every hop is possible. */
export const mayEndAt = ({ open }: Walk, kind: HopKind, back?: boolean, which?: Which): boolean =>
  open.some(
    (hop) =>
      hop.kind === kind && (back === undefined || hop.back === back) && (which === undefined || hop.which === which),
  );

/** The path up to a hop that breaks. */
export function trailTo({ hops, passed, probe }: Walk, broken: Hop): Station[] {
  const end = hops.indexOf(broken);
  if (probe === undefined || end < 0) return [];
  // All hops before the broken one worked, also those after the last sight.
  return hops
    .slice(0, Math.max(end, Math.min(passed, end)) + 1)
    .map((hop, at) => ({ hop: hop.label, passed: at < end }));
}
