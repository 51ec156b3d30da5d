import { world } from '@handwired/host';
import type { Condition, ProbeId } from '../evidence/probes.ts';
import type { Outcome } from '../judge/run.ts';
import type { Case, Check, Diagnosis, Hint } from '../queries/check.ts';
import { bridgeNfSetting, listConditions, renderCondition } from '../queries/conditions.ts';
import { type Hop, type HopKind, type Path, paths, type Which } from '../queries/paths.ts';
import { describeOutcome, describeWay } from '../queries/sights.ts';
import { mayEndAt, trailTo, type Walk, walkPath } from '../queries/walk.ts';
import type { Cause, Finding } from './cause.ts';
import { addressingCauses, uplinkCauses } from './causes/addressing.ts';
import { firewallCauses, forwardCauses, frontendCauses } from './causes/firewall.ts';
import { bridgeCauses, veth } from './causes/links.ts';
import { lookupCauses, nameCauses } from './causes/names.ts';
import { leftoverCauses, namespaceCauses } from './causes/namespaces.ts';
import { neighbourCauses, silentCauses, staleCauses } from './causes/neighbours.ts';
import { loopbackCauses, publishCauses, serverCauses, shadowCauses } from './causes/publish.ts';
import { routingCauses, sizeCauses } from './causes/routing.ts';
import { trackingCauses } from './causes/tracking.ts';
import { translationCauses } from './causes/translation.ts';

/** All causes, the most probable first. Facts that break a path come before causes that only fit the evidence. */
export const causes: readonly Cause[] = [
  ...namespaceCauses,
  ...bridgeCauses,
  ...leftoverCauses,
  ...veth,
  ...addressingCauses,
  ...uplinkCauses,
  ...neighbourCauses,
  ...silentCauses,
  ...trackingCauses,
  ...staleCauses,
  ...sizeCauses,
  ...shadowCauses,
  ...routingCauses,
  ...lookupCauses,
  ...nameCauses,
  ...frontendCauses,
  ...firewallCauses,
  ...serverCauses,
  ...publishCauses,
  ...loopbackCauses,
  ...forwardCauses,
  ...translationCauses,
];

/** The ids of all causes, each with the beginnings of the ids of the checks that it can explain. */
export const listCauses = (): Pick<Cause, 'id' | 'explains'>[] => causes.map(({ id, explains }) => ({ id, explains }));

const link = world.uplink.name;

/** Where to look at each kind of hop, and with which commands. The commands change nothing. No text names a cause. */
export const whereToLook: Record<HopKind, (lab: Case, which: Which) => string> = {
  inner: ({ plan }, which) =>
    `what ${plan[which].name} is and has: ip netns list; ls -l /run/netns; ip -n ${plan[which].name} -d addr; ip -n ${plan[which].name} route; ip -n ${plan[which].name} neigh`,
  client: ({ plan }, which) =>
    `what ${plan[which].name} itself does with the answer: ip netns exec ${plan[which].name} nft list ruleset; ip netns exec ${plan[which].name} iptables -nvL`,
  server: ({ plan }, which) =>
    `what listens in ${plan[which].name}, and which rules it has: ip netns exec ${plan[which].name} ss -ltnp; ip netns exec ${plan[which].name} iptables -nvL`,
  veth: () => 'the cables and where their ends are: ip -d link show type veth; bridge link',
  bridge: ({ plan }) =>
    `the bridge and its ports: ip -d addr show ${plan.bridge}; bridge -d link; bridge fdb show br ${plan.bridge}`,
  PREROUTING: () =>
    'what is done to a packet when it comes in: iptables -t nat -nvL PREROUTING; iptables -t raw -nvL PREROUTING; nft list ruleset; ss -ltnp',
  OUTPUT: () =>
    "what is done to the lab host's own packets: iptables -t nat -nvL OUTPUT; iptables -nvL OUTPUT; nft list ruleset",
  host: () => 'what the lab host does with packets for itself: iptables -nvL INPUT; nft list ruleset',
  routing: ({ plan }) =>
    `where the lab host sends it, and whether it sends on what is not for itself: ip rule; ip route show table all; sysctl -a --pattern 'ipv4.*(forward|rp_filter|localnet)'; ip route get ${world.resolvers[0]} from ${plan.ct1.address} iif ${plan.bridge}`,
  FORWARD: () =>
    'which rules judge what passes the lab host, and which of them count: iptables -nvL FORWARD; iptables-legacy -nvL FORWARD; nft list ruleset',
  POSTROUTING: () =>
    `with which source it leaves, and which rules should change that: tcpdump -nni ${link} -c 4; iptables -t nat -nvL POSTROUTING`,
  uplink: () => `the lab host's own way out: ip -d addr show ${link}; ip route`,
  world: () => `what leaves and comes back by ${link}: tcpdump -nni ${link} -c 8`,
  names: ({ plan }, which) =>
    `what ${plan[which].name} reads, and whom it asks: ip netns exec ${plan[which].name} cat /etc/resolv.conf /etc/nsswitch.conf; ls -l /etc/netns/*; tcpdump -nni any -c 4 port 53; ls -l /etc/resolv.conf`,
};

/** Adds to each failed outcome where its path breaks, why, and the hint for the learner. */
export const explainFailures = (outcomes: readonly Outcome[], lab: Case): Outcome[] =>
  outcomes.map((outcome) => (outcome.verdict === 'fail' ? { ...outcome, ...explainFailure(outcome, lab) } : outcome));

function explainFailure(outcome: Outcome, lab: Case): Partial<Outcome> {
  const { check, hint } = outcome;
  if (check.copies !== undefined) return explainInCopies(outcome, lab);
  const walks = findPaths(check).flatMap((path) => walkPath(lab, path, check.probes) ?? []);
  for (const walk of walks) {
    const found = findCause(walk, lab, check.id);
    if (found) return explainByCause(walk, lab, found, hint);
  }
  const first = walks[0];
  return first ? explainByPlace(first, lab, hint) : {};
}

/**
 * The paths that a check is about: those that list it. If no path lists it but some cause can explain it, they are the
 * paths whose experiments it makes; if there are none, the paths that list a check that it needs.
 */
export function findPaths(check: Check): Path[] {
  const listed = paths.filter(({ checks }) => checks.includes(check.id));
  if (listed.length > 0 || !causes.some(({ explains }) => explains.some((start) => check.id.startsWith(start))))
    return listed;
  const shared = paths.filter(({ probes }) => probes.some((probe) => check.probes.includes(probe)));
  return shared.length > 0 ? shared : paths.filter(({ checks }) => check.needs.some((id) => checks.includes(id)));
}

/** Explains the first demanded condition under which a copy shows a cause, as if the lab host had that condition. */
function explainInCopies({ check, hint }: Outcome, lab: Case): Partial<Outcome> {
  for (const condition of listConditions(lab.facts, lab.baseline).demanded) {
    const copy = caseUnder(lab, condition);
    const about = copy ? paths.filter(({ probes }) => probes.some((probe) => check.probes.includes(probe))) : [];
    for (const walk of about.flatMap((path) => walkPath(copy ?? lab, path, check.probes) ?? [])) {
      const found = copy && findCause(walk, copy, check.id);
      if (!found) continue;
      const under = `under ${renderCondition(condition)}`;
      const seen = [under, ...found.finding.seen];
      const wrong = `So it is ${under}, whatever it is now. ${found.finding.wrong}`;
      return explainByCause(walk, copy, { ...found, finding: { ...found.finding, seen, wrong } }, hint);
    }
  }
  return {};
}

/** A case made from the copy under a condition: with the copy's evidence, FORWARD policy and bridge-nf setting. */
function caseUnder(lab: Case, condition: Condition): Case | undefined {
  const same = ({ condition: one }: { condition: Pick<Condition, 'forwardPolicy' | 'bridgeNf'> }): boolean =>
    one.forwardPolicy === condition.forwardPolicy && one.bridgeNf === condition.bridgeNf;
  const copy = lab.evidence.copies.find(same);
  if (!copy) return undefined;
  const { results, seen, over, drops } = copy;
  const facts = structuredClone(lab.facts);
  if (facts.here.sysctls[bridgeNfSetting] !== undefined) facts.here.sysctls[bridgeNfSetting] = condition.bridgeNf;
  for (const table of facts.here.iptables.filter(({ family, name }) => family === 'ip' && name === 'filter')) {
    for (const chain of table.chains.filter(({ name }) => name === 'FORWARD')) {
      if (condition.forwardPolicy === 'accept') chain.policy = 'ACCEPT';
      else if (condition.drop.includes(table.variant)) chain.policy = 'DROP';
    }
  }
  return { ...lab, facts, evidence: { ...lab.evidence, results, seen, over, drops } };
}

interface Found {
  cause: Cause;
  finding: Finding;
}

/** The first cause that can explain this check, fits the place where the packets ended, and has evidence. */
function findCause(walk: Walk, lab: Case, check: string): Found | undefined {
  for (const cause of causes) {
    if (!cause.explains.some((start) => check.startsWith(start))) continue;
    if (!cause.structural && !mayEndAt(walk, cause.hop)) continue;
    const finding = cause.detect(lab, walk);
    if (finding) return { cause, finding };
  }
  return undefined;
}

function explainByCause(walk: Walk, lab: Case, { cause, finding }: Found, own: Hint | null): Partial<Outcome> {
  const hop = findHop(walk, cause, finding);
  const which = finding.which ?? walk.path.containers[0] ?? 'ct1';
  const where = cause.where?.(lab, walk) ?? whereToLook[finding.hop ?? cause.hop](lab, which);
  const mend = finding.mend?.join('\n');
  return {
    diagnosis: {
      ...makeDiagnosis(walk, lab, hop),
      cause: cause.id,
      seen: finding.seen,
    },
    hint: { where, wrong: finding.wrong, mend: mend ?? own?.mend },
  };
}

/** The hop of a cause on this path. Of several it is one of the open hops. */
function findHop({ hops, open }: Walk, cause: Cause, { hop: kind, which, back }: Finding): Hop | undefined {
  const fits = (hop: Hop): boolean =>
    hop.kind === (kind ?? cause.hop) &&
    (back === undefined || hop.back === back) &&
    (which === undefined || hop.which === undefined || hop.which === which);
  return open.find(fits) ?? hops.find(fits);
}

function makeDiagnosis(walk: Walk, lab: Case, hop: Hop | undefined): Omit<Diagnosis, 'cause' | 'seen'> {
  const broken = hop ?? walk.open[0];
  return {
    path: walk.path.title(lab.plan),
    hop: broken?.label ?? '',
    trail: broken ? trailTo(walk, broken) : [],
  };
}

/** The explanation of one experiment's failure. */
export interface ProbeStory {
  cause: string;
  hop: string;
  seen: string[];
  wrong: string;
}

/** Explains one experiment's failure, whichever check makes it; undefined: no cause has evidence. */
export function explainProbe(lab: Case, probe: ProbeId): ProbeStory | undefined {
  for (const path of paths.filter(({ probes }) => probes.includes(probe))) {
    const walk = walkPath(lab, path, [probe]);
    const found = walk && path.checks.map((check) => findCause(walk, lab, check)).find((one) => one !== undefined);
    if (!found) continue;
    const { cause, finding } = found;
    return {
      cause: cause.id,
      hop: findHop(walk, cause, finding)?.label ?? '',
      seen: finding.seen,
      wrong: finding.wrong,
    };
  }
  return undefined;
}

/** The explanation when no cause has evidence: the hop, and what was seen. */
function explainByPlace(walk: Walk, lab: Case, own: Hint | null): Partial<Outcome> {
  const { open, probe } = walk;
  const hop = open[0];
  if (probe === undefined) {
    const where = whereToLook[hop?.kind ?? 'host'](lab, walk.path.containers[0] ?? 'ct1');
    return { hint: { wrong: own?.wrong, mend: own?.mend, where } };
  }
  const result = lab.evidence.results[probe];
  const place =
    open.length > 1 ? `between ${open[0]?.label ?? ''} and ${open.at(-1)?.label ?? ''}` : `at ${hop?.label ?? ''}`;
  const which = hop?.which ?? walk.path.containers[0] ?? 'ct1';
  return {
    diagnosis: {
      ...makeDiagnosis(walk, lab, hop),
      cause: null,
      seen: [...(result ? [describeOutcome(result)] : []), ...describeWay(lab.evidence, probe)],
    },
    hint: {
      where: whereToLook[hop?.kind ?? 'host'](lab, which),
      wrong: own?.wrong ?? `It breaks ${place}; nothing that was seen says why.`,
      mend: own?.mend,
    },
  };
}
