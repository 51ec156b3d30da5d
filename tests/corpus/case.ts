import type { Conditions, Plan } from '@handwired/host';

/** The expected grade: all passes, this check fails, or all passes although something was altered (`same`). */
export type Expected = { pass: true } | { fails: string } | { same: string };

/** One build, or one build and its cleanup, to be graded. */
export interface Case {
  /** Unique; stands in docs/grading.md. */
  id: string;
  /** `right`, or the class of the fault. */
  class: string;
  /** `build`: graded up to publish. `cleanup`: built, cleaned up, graded on the cleanup. */
  grades: 'build' | 'cleanup';
  conditions: Conditions;
  plan: Plan;
  /** The build, typed at bash; exit statuses are ignored. `cleanup` is typed after it. */
  script: string;
  cleanup?: string;
  /** It shows under FORWARD DROP with bridge-nf 1 only: plain commands look there. */
  hidden?: boolean;
  /** Plain commands can't tell this fault from a right build: somebody else gives the same answers. */
  deceives?: boolean;
  expected: Expected;
}
