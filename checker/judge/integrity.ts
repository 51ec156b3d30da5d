import { world } from '@handwired/host';
import type { Evidence } from '../evidence/evidence.ts';
import { type ProbeId, probes } from '../evidence/probes.ts';
import { compareItems, type Difference, type Item, netItems } from '../facts/diff.ts';
import type { Facts, Net } from '../facts/facts.ts';
import { compareFingerprints } from '../facts/parse.ts';
import { type Case, type Check, fail, type Judgement } from '../queries/check.ts';
import { joinWords } from '../queries/links.ts';
import { findResult, findSights } from '../queries/sights.ts';

/** The scope that differences of the world's own namespace have. */
const scope = 'the world';

/**
 * Lists how the world differs from the baseline: its namespace's links, addresses, routes, rules, settings and
 * listeners, its process and its program. The program's file is ignored while the process of the baseline still runs.
 * After any difference nothing that was seen of the world can be trusted.
 */
export function findWorldChanges(baseline: Facts, facts: Facts): Difference[] {
  if (facts.world.net === null || baseline.world.net === null) {
    return baseline.world.net === null
      ? []
      : [gone('namespace', 'its network namespace: no process holds it any more')];
  }
  const sameLife = isSameLife(baseline, facts);
  const [was, is] = [baseline.world, facts.world];
  const same = sameLife && was.pid === is.pid && was.start === is.start && was.inode === is.inode;
  const [before, after] = [baseline, facts].map(({ world }) => [
    ...serverItems(same ? { ...world, sha256: was.sha256 } : world, sameLife),
    ...netItems(owned(world.net as Net, sameLife), scope, { byNft: new Set() }).filter(({ key }) => !shared.test(key)),
  ]);
  return compareItems(before ?? [], after ?? []);
}

/** Has the lab host run since the baseline without a restart? A new sandbox has another namespace in the same boot. */
const isSameLife = ({ host }: Facts, { host: now }: Facts): boolean =>
  host.boot === now.boot && host.inode === now.inode;

/** Settings that a kernel module adds, at any time. */
const shared = /^net\/bridge\//;

/** Adds the pid to each listener's program, because any program can take any name. */
const owned = (net: Net, sameLife: boolean): Net => ({
  ...net,
  sockets: net.sockets.map((socket) => ({
    ...socket,
    program: sameLife ? `${socket.program ?? 'nobody'} (process ${socket.pid ?? 0})` : socket.program,
  })),
});

function serverItems({ pid, start, inode, sha256, authority }: Facts['world'], sameLife: boolean): Item[] {
  const is = (key: string, text: string): Item => ({ subject: 'processes', scope, key, text, device: null });
  const kept = [
    is('program', `its program ${(sha256 ?? 'unreadable').slice(0, 12)}`),
    is('authority', `its certificate ${(authority ?? 'unreadable').replaceAll(/-.*-|\s/g, '').slice(-24)}`),
  ];
  const moment = `its process ${pid ?? 'none'}, started at ${start ?? 'no time'}, in namespace ${inode ?? 'none'}`;
  return sameLife ? [is('process', moment), ...kept] : kept;
}

const gone = (key: string, text: string): Difference => ({
  subject: 'namespaces',
  scope,
  change: 'gone',
  text,
  was: null,
  key,
});

/** Changes of the world as one reason, for checks that depend on it; undefined: it did not change. */
export function describeWorldChanges(baseline: Facts, facts: Facts): string | undefined {
  const found = findWorldChanges(baseline, facts);
  if (found.length === 0) return undefined;
  const shown = found
    .slice(0, 3)
    .map(({ change, text, was }) => `${change} ${text}${was === null ? '' : ` (was: ${was})`}`);
  return `the world beyond the uplink was changed: ${shown.join('; ')}. Next: lab reset`;
}

/** Says what changed between the start of the snapshot and the end of the experiments; null: nothing, or not known. */
export function describeUnrest(facts: Facts, evidence: Evidence | null): string | null {
  const problem = facts.problems.find(({ source }) => source === 'steady');
  if (problem) return problem.what;
  if (!evidence?.steady || facts.steady === null) return null;
  const { before, after } = evidence.steady;
  const between = compareFingerprints(facts.steady, before);
  if (between !== null) return `${between} changed between the snapshot and the experiments`;
  const changes = listChanges(facts, evidence);
  if (changes.length > 0) return `${changes.slice(0, 3).join(', ')} while experiments were made`;
  const during = compareFingerprints(before, after);
  return during === null ? null : `${during} changed while experiments were made`;
}

/** Changes that the kernel reported, also undone ones. A server that restarts for each client is not a change. */
function listChanges({ here, namespaces }: Facts, { changes }: Evidence): string[] {
  const known = [here, ...namespaces.flatMap(({ net }) => (net ? [net] : []))].flatMap(({ sockets }) => sockets);
  const began = new Set(known.map(({ protocol, address, port }) => `${protocol} ${address}:${port} ${listening}`));
  return changes
    .filter(({ what }) => !began.has(what))
    .map((change) => `${change.what} (${change.in === 'root' ? 'on the lab host' : `in ${change.in}`})`);
}

/** The words that agent/changes.py uses for a new listener. */
const listening = 'began to be listened on';

/**
 * Something that an honest lab host does not have. Tampering never makes a right build fail, and no pass depends on
 * what was tampered with. If the world was changed (judge/run.ts), or anything changed during the grading
 * (grading/grade.ts), the verdict is `error`; the finding only names it.
 */
export interface Finding {
  id: 'altered' | 'world' | 'place' | 'nonce' | 'change';
  /** What was seen, where. */
  what: string;
  /** A check that makes one of these experiments must not pass. */
  spoils: readonly ProbeId[];
}

/** At most this many findings of one kind are listed. There may be as many as a lab host has files. */
const MOST = 20;

/** All findings, those that affect most of the result first. Pure. */
export function findTampering(lab: Case): Finding[] {
  return [changes, changedWorld, inPlace, nonces, altered].flatMap((find) => find(lab));
}

/**
 * The check in view of the findings. If a finding spoils one of its experiments, a pass becomes a failure: something on
 * the lab host answered in the world's place. (A changed world makes it an error: judge/run.ts.)
 */
export function guardCheck(check: Check, findings: readonly Finding[]): Check {
  const found = findings.find(({ spoils }) => check.probes.some((probe) => spoils.includes(probe)));
  if (!found) return check;
  return {
    ...check,
    judge: (lab): Judgement => {
      const judged = check.judge(lab);
      if (judged.verdict !== 'pass') return judged;
      return fail({ expected: judged.expected, actual: found.what, evidence: judged.evidence });
    },
  };
}

/**
 * Altered tools, libraries, mounts and shells of the learner. The grader runs none of them, so no verdict depends on
 * it.
 */
function altered({ facts }: Case): Finding[] {
  const found = facts.altered.slice(0, MOST).map(({ path, what }) => `${path} ${what}`);
  const more = facts.altered.length - found.length;
  if (more > 0) found.push(`and ${more} more under the learner's commands`);
  return found.map((what) => ({ id: 'altered', what, spoils: [] }));
}

function changedWorld({ facts, baseline }: Case): Finding[] {
  return findWorldChanges(baseline, facts)
    .slice(0, MOST)
    .map(({ change, text }) => ({
      id: 'world',
      what: `in the world beyond the uplink: ${change}: ${text}`,
      spoils: [],
    }));
}

function changes({ facts, evidence }: Case): Finding[] {
  const first = evidence.retaken === null ? [] : [`${evidence.retaken}; all of it was taken once more`];
  const moved = describeUnrest(facts, evidence);
  return [...first, ...(moved === null ? [] : [moved])].map((what) => ({ id: 'change', what, spoils: [] }));
}

/** Answered experiments whose destination is beyond the uplink. */
function outbound({ evidence, plan }: Case): ProbeId[] {
  const beyond = new Set<string>([world.site.address, ...world.resolvers]);
  return (Object.keys(probes) as ProbeId[]).filter((id) => {
    const probe: { in: string; to?: string } = probes[id](plan);
    return (
      evidence.results[id]?.ok === true && probe.in !== 'world' && (probe.to === undefined || beyond.has(probe.to))
    );
  });
}

/** Answers to packets that never arrived in the world. The checks notice them too; the finding names them. */
function inPlace(lab: Case): Finding[] {
  const { evidence } = lab;
  if (evidence.over || (evidence.drops['world'] ?? 1) > 0) return [];
  const made = outbound(lab).filter((id) => findSights(evidence, id, { in: 'world', way: 'in' }).length === 0);
  return answered(made, 'place', 'answered, and nothing of it arrived in the world: something answers in its place');
}

/** Replies without the token. The world's site repeats the token; a replayed reply can't. */
function nonces(lab: Case): Finding[] {
  const old = outbound(lab).filter((id) => findResult(lab.evidence, id).echoed === false);
  return answered(old, 'nonce', "answered without the token that was asked for, which the world's site repeats");
}

const answered = (spoils: readonly ProbeId[], id: 'place' | 'nonce', what: string): Finding[] =>
  spoils.length === 0 ? [] : [{ id, what: `${joinWords(spoils)}: ${what}`, spoils }];
