import { chapterIds } from '@handwired/host';
import { noteBegun } from '@handwired/checker';
import { explainMisses, failures, type Graded, misses } from '../sandbox/grading.ts';
import type { Case } from './case.ts';
import type { Stage } from './stage.ts';

/** The result of a case, written as one line of JSON. */
export interface Result {
  id: string;
  class: string;
  /** `ok`, or what is wrong with the grader or with our expectation. */
  outcome: 'ok' | 'false reject' | 'false accept' | 'not honest' | 'caught by another check' | 'grader error';
  /** Checks that fail. */
  fails: string[];
  /** Other verdicts than pass and fail, as `id: verdict`. */
  others: string[];
  /** What does not work, as plain commands show it; null: not looked at. */
  broken: string[] | null;
  /** Where it is not as expected: what was said, by the lab host of the build and by the checker of each check. */
  told: string[];
  ms: number;
}

/** Builds a case on a lab host, has it graded, and looks for itself whether it works. */
async function runCase(stage: Stage, one: Case, look: RunOptions['look']): Promise<Result> {
  const start = performance.now();
  const graded = await stage.fresh(one.conditions, one.plan);
  const output =
    (await graded.type(one.script)) + (one.cleanup === undefined ? '' : await cleanUp(graded, one.cleanup));
  const report = await graded.check(one.grades === 'build' ? { through: 'publish' } : { only: 'cleanup' });
  const fails = failures(report);
  const others = misses(report).filter((miss) => !miss.endsWith(': fail'));
  const looked = one.grades === 'build' && stage.looks && (look === 'always' || fails.length === 0);
  const seconds = 'pass' in one.expected ? 4 : 1;
  const broken = looked ? await stage.works(one.plan, seconds, one.hidden === true) : null;
  const outcome = outcomeOf(one, { fails, others, broken });
  const told = outcome === 'ok' ? [] : [output, ...explainMisses(report)];
  return {
    id: one.id,
    class: one.class,
    outcome,
    fails,
    others,
    broken,
    told,
    ms: Math.round(performance.now() - start),
  };
}

/** After what a check in between would have written down. */
async function cleanUp(graded: Graded, cleanup: string): Promise<string> {
  noteBegun(graded.record, chapterIds.slice(0, -1), ['br0', 'ct1', 'ct2', 'veth-ct1', 'veth-ct2']);
  return graded.type(cleanup);
}

function outcomeOf(
  { expected, deceives }: Case,
  { fails, others, broken }: Pick<Result, 'fails' | 'others' | 'broken'>,
): Result['outcome'] {
  const works = broken === null || broken.length === 0;
  if (others.some((other) => other.endsWith(': error'))) return 'grader error';
  if ('fails' in expected) {
    if (fails.includes(expected.fails)) return broken !== null && works && !deceives ? 'false reject' : 'ok';
    if (fails.length > 0) return 'caught by another check';
    return broken !== null && works ? 'not honest' : 'false accept';
  }
  if (fails.length + others.length > 0) return works ? 'false reject' : 'not honest';
  return works ? 'ok' : 'false accept';
}

export interface RunOptions {
  cases: readonly Case[];
  /** How many lab hosts run side by side. */
  count: number;
  make: (n: number) => Promise<Stage>;
  /** Look with plain commands at every build, or only where the checker found nothing wrong. */
  look: 'always' | 'in doubt';
  onResult: (result: Result) => void;
  /** Aborted: the cases under way are finished, no other is begun. */
  signal?: AbortSignal;
}

/** All cases on lab hosts that are gone afterwards; `onResult` as they come. */
export async function runCases(options: RunOptions): Promise<{ results: Result[]; remade: number }> {
  const { cases, count, make, look, onResult, signal } = options;
  const stages = await Promise.all([...Array(count).keys()].map(make));
  const rest = [...cases];
  const done = new Map<string, Result>();
  try {
    await Promise.all(
      stages.map(async (stage) => {
        for (let one = rest.shift(); one && !signal?.aborted; one = rest.shift()) {
          const result = await runCase(stage, one, look);
          done.set(one.id, result);
          onResult(result);
        }
      }),
    );
  } finally {
    await Promise.all(stages.map((stage) => stage.end()));
  }
  const results = cases.flatMap(({ id }) => done.get(id) ?? []);
  return { results, remade: stages.reduce((sum, { remade }) => sum + remade.length, 0) };
}
