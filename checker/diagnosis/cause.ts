import type { Case } from '../queries/check.ts';
import type { HopKind, Which } from '../queries/paths.ts';
import type { Walk } from '../queries/walk.ts';

/** The evidence that a cause found. */
export interface Finding {
  /** The kind of hop where the path breaks; absent: the cause's own `hop`. */
  hop?: HopKind;
  /** The container where the path breaks. */
  which?: Which | undefined;
  /** True: the path breaks on the way of the answer. */
  back?: boolean;
  /** What supports the cause, in the kernel's words. Never empty. */
  seen: string[];
  wrong: string;
  /** Commands that repair it, in order, that can be typed unchanged; absent: none are known. */
  mend?: string[] | undefined;
}

/** A root cause of a failure. */
export interface Cause {
  /** Kebab case, unique. */
  id: string;
  hop: HopKind;
  /** Beginnings of the ids of the checks that it can explain. */
  explains: readonly string[];
  /** True: the cause is a fact that breaks the path by itself, even if packets ended elsewhere. */
  structural?: boolean;
  /** Gives the evidence; undefined: nothing supports the cause. */
  detect: (lab: Case, walk: Walk) => Finding | undefined;
  /** Where to look; absent: the text of its hop in `whereToLook`. */
  where?: (lab: Case, walk: Walk) => string;
}

/** Beginnings of the ids of the checks that send packets. */
export const traffic = ['connectivity.', 'egress.', 'dns.', 'publish.'] as const;
