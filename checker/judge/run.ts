import { readMessage } from '@handwired/host';
import { wasStarved } from '../evidence/evidence.ts';
import type { Case, Check, Diagnosis, Hint, Judgement } from '../queries/check.ts';
import { describeWorldChanges } from './integrity.ts';

/** A check's outcome, for reports. */
export interface Outcome {
  check: Check;
  verdict: 'pass' | 'fail' | 'skipped' | 'error';
  expected: string;
  actual: string;
  evidence: string[];
  hint: Hint | null;
  /** Where the path of a failed check breaks; null: the check did not fail, or it is about no path. */
  diagnosis: Diagnosis | null;
  because: string | null;
}

/**
 * Judges checks in order. A check must come after the checks that it needs. When a check of the chapters `stopAt`
 * fails, all later checks are skipped.
 */
export function runChecks(checks: readonly Check[], lab: Case, stopAt?: ReadonlySet<string>): Outcome[] {
  const done = new Map<string, Outcome>();
  let stop: string | undefined;
  for (const check of checks) {
    const outcome = stop === undefined ? judgeCheck(check, lab, done) : stopped(check, stop);
    done.set(check.id, outcome);
    if (outcome.verdict === 'fail' && stopAt?.has(check.chapter)) stop ??= check.id;
  }
  return [...done.values()];
}

const stopped = (check: Check, first: string): Outcome => ({
  ...blank(check),
  verdict: 'skipped',
  because: `not run: ${first} fails, and --fail-fast stops there`,
});

/**
 * The checks that facts alone do not skip. Only their experiments are needed. Checks with experiments count as passed
 * here.
 */
export function selectOpenChecks(checks: readonly Check[], lab: Case, stopAt?: ReadonlySet<string>): Check[] {
  const hoped: Judgement = { verdict: 'pass', expected: '', actual: '', evidence: [] };
  const trial = checks.map((check) => ({
    ...check,
    passNeeds: [],
    judge: check.probes.length > 0 ? () => hoped : check.judge,
  }));
  const open = new Set(
    runChecks(trial, lab, stopAt).flatMap(({ verdict, check }) => (verdict === 'skipped' ? [] : [check.id])),
  );
  return checks.filter(({ id }) => open.has(id));
}

/** Outcomes when nothing could be observed: every check is our error, without a verdict on the learner. */
export const failWithError = (checks: readonly Check[], reason: string): Outcome[] =>
  checks.map((check) => ({ ...blank(check), verdict: 'error', because: reason }));

const blank = (check: Check): Omit<Outcome, 'verdict'> => ({
  check,
  expected: '',
  actual: '',
  evidence: [],
  hint: null,
  diagnosis: null,
  because: null,
});

const busy =
  'the lab host was too busy: it did not let the grader run for longer than answers are waited for. Next: lab check';

/** Is an answer missing while the lab host was too busy? A refusal is an answer. */
const unanswered = ({ probes, copies }: Check, { evidence }: Case): boolean =>
  wasStarved(evidence) &&
  (copies !== undefined || probes.some((probe) => evidence.results[probe]?.error === 'no answer'));

function judgeCheck(check: Check, lab: Case, done: ReadonlyMap<string, Outcome>): Outcome {
  const unmet = findUnmet(check.needs, done);
  if (unmet) return unmet(check, '');
  const problem = lab.facts.problems.find(({ source }) => check.sources?.some((start) => source.startsWith(start)));
  if (problem) return { ...blank(check), verdict: 'error', because: `${problem.source}: ${problem.what}` };
  const tampered = check.probes.includes('world>site') ? describeWorldChanges(lab.baseline, lab.facts) : undefined;
  if (tampered !== undefined) return { ...blank(check), verdict: 'error', because: tampered };
  const judged = judge(check, lab);
  if (judged.verdict === 'fail' && unanswered(check, lab)) return { ...blank(check), verdict: 'error', because: busy };
  if (judged.verdict === 'error') {
    return { ...blank(check), verdict: 'error', expected: judged.expected, because: judged.reason };
  }
  if (judged.verdict === 'skipped') {
    return {
      ...blank(check),
      verdict: 'skipped',
      expected: judged.expected,
      because: `it can't be told while ${judged.unless} does not pass`,
    };
  }
  const accident = judged.verdict === 'pass' ? findUnmet(check.passNeeds ?? [], done) : undefined;
  if (accident) return accident(check, judged.expected);
  return { ...blank(check), hint: null, ...judged };
}

/**
 * Gives the outcome for unmet needs. A failed or skipped need skips the check; a need in error makes it an error too.
 */
function findUnmet(needs: readonly string[], done: ReadonlyMap<string, Outcome>) {
  const open = needs.filter((id) => done.get(id)?.verdict !== 'pass');
  const first = open.find((id) => done.get(id)?.verdict === 'error') ?? open[0];
  if (first === undefined) return undefined;
  const verdict = done.get(first)?.verdict === 'error' ? 'error' : 'skipped';
  const state =
    done.get(first)?.verdict === 'fail' ? 'fails' : done.get(first)?.verdict === 'error' ? 'is in error' : 'is skipped';
  return (check: Check, expected: string): Outcome => ({
    ...blank(check),
    verdict,
    expected,
    because: `${first} ${state}`,
  });
}

/** Judges one check. When the check throws, the verdict is `error`: the fault is ours. */
function judge(check: Check, lab: Case): Judgement {
  try {
    return check.judge(lab);
  } catch (error) {
    return { verdict: 'error', expected: '', reason: `the check itself failed: ${readMessage(error)}` };
  }
}
