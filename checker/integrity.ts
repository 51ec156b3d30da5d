import { world } from '@handwired/host';
import { type Case, type Check, fail, type Judgement } from './checks/check.ts';
import { listOf } from './checks/look.ts';
import { resultOf, sightsOf } from './checks/trace.ts';
import { unsteady } from './facts/steady.ts';
import { worldChanges } from './facts/world.ts';
import { probes, type ProbeId } from './probes/list.ts';

/**
 * Something that an honest lab host does not have. What was tampered with never makes a right build wrong, and no pass
 * stands on it. Where the whole world was changed (checks/run.ts), or anything while we looked (judge.ts), a verdict can't
 * be had at all, and those two say so; here it has a name.
 */
export interface Finding {
  id: 'altered' | 'world' | 'place' | 'nonce' | 'change';
  /** What was seen, where. */
  what: string;
  /** Experiments of which nothing may pass. */
  spoils: readonly ProbeId[];
}

/** How many of one kind are told; there may be as many as a lab host has files. */
const MOST = 20;

/** Everything that was seen, in the order of how much of the result it touches. Pure. */
export function findingsOf(the: Case): Finding[] {
  return [changes, changedWorld, inPlace, nonces, altered].flatMap((look) => look(the));
}

/**
 * The check as it may be judged in view of what was found: what would pass fails, because what answers in the world's
 * place is the lab host's own. (A world that was tampered with is no verdict at all: checks/run.ts.)
 */
export function guarded(check: Check, findings: readonly Finding[]): Check {
  const found = findings.find(({ spoils }) => check.probes.some((probe) => spoils.includes(probe)));
  if (!found) return check;
  return {
    ...check,
    judge: (the): Judgement => {
      const judged = check.judge(the);
      if (judged.verdict !== 'pass') return judged;
      return fail({ expected: judged.expected, actual: found.what, evidence: judged.evidence });
    },
  };
}

/** Tools, libraries, mounts and shells of the learner's: nothing of ours is run by them, so no verdict stands on them. */
function altered({ facts }: Case): Finding[] {
  const found = facts.altered.slice(0, MOST).map(({ path, what }) => `${path} ${what}`);
  const more = facts.altered.length - found.length;
  if (more > 0) found.push(`and ${more} more under the learner's commands`);
  return found.map((what) => ({ id: 'altered', what, spoils: [] }));
}

function changedWorld({ facts, baseline }: Case): Finding[] {
  return worldChanges(baseline, facts)
    .slice(0, MOST)
    .map(({ change, text }) => ({
      id: 'world',
      what: `in the world beyond the uplink: ${change}: ${text}`,
      spoils: [],
    }));
}

function changes({ facts, evidence }: Case): Finding[] {
  const first = evidence.retaken === null ? [] : [`${evidence.retaken}; all of it was taken once more`];
  const moved = unsteady(facts, evidence);
  return [...first, ...(moved === null ? [] : [moved])].map((what) => ({ id: 'change', what, spoils: [] }));
}

/** Experiments with something beyond the uplink that were answered. */
function outbound({ evidence, plan }: Case): ProbeId[] {
  const beyond = new Set<string>([world.site.address, ...world.resolvers]);
  return (Object.keys(probes) as ProbeId[]).filter((id) => {
    const probe: { in: string; to?: string } = probes[id](plan);
    return (
      evidence.results[id]?.ok === true && probe.in !== 'world' && (probe.to === undefined || beyond.has(probe.to))
    );
  });
}

/** An answer to what never arrived out there. The checks themselves know it too; here it has a name. */
function inPlace(the: Case): Finding[] {
  const { evidence } = the;
  if (evidence.over || (evidence.drops['world'] ?? 1) > 0) return [];
  const made = outbound(the).filter((id) => sightsOf(evidence, id, { in: 'world', way: 'in' }).length === 0);
  return answered(made, 'place', 'answered, and nothing of it arrived in the world: something answers in its place');
}

/** The world's site repeats what it was asked; whoever answers from memory can't. */
function nonces(the: Case): Finding[] {
  const old = outbound(the).filter((id) => resultOf(the.evidence, id).echoed === false);
  return answered(old, 'nonce', "answered without the token that was asked for, which the world's site repeats");
}

const answered = (spoils: readonly ProbeId[], id: 'place' | 'nonce', what: string): Finding[] =>
  spoils.length === 0 ? [] : [{ id, what: `${listOf(spoils)}: ${what}`, spoils }];
