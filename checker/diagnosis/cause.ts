import type { Case } from '../queries/check.ts';
import type { HopKind, Which } from '../queries/paths.ts';
import type { Walk } from '../queries/walk.ts';

/** What a cause found that supports it. */
export interface Finding {
  /** Where it is, if not at the cause's own kind of hop. */
  hop?: HopKind;
  /** Where it is, for the trail. */
  which?: Which | undefined;
  /** On the way of the answer. */
  back?: boolean;
  /** What supports it, in the kernel's words; never empty. */
  seen: string[];
  wrong: string;
  /** Commands in their order, typeable as they stand; absent: none is known. */
  mend?: string[] | undefined;
}

/** A root cause of a failure. */
export interface Cause {
  /** Kebab case, unique. */
  id: string;
  hop: HopKind;
  /** Checks that it can explain, by the beginning of their ids. */
  explains: readonly string[];
  /** A fact that breaks the path whatever was seen on it: it need not agree with where the packets ended. */
  structural?: boolean;
  /** undefined: nothing supports it. */
  detect: (lab: Case, walk: Walk) => Finding | undefined;
  /** Where to look; without it, what is said of its hop. */
  where?: (lab: Case, walk: Walk) => string;
}

/** The checks that send packets, by the beginning of their ids. */
export const traffic = ['connectivity.', 'egress.', 'dns.', 'publish.'] as const;
