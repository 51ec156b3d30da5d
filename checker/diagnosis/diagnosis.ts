/** A place on a path, in order, and whether the packet got past it. */
export interface Station {
  hop: string;
  passed: boolean;
}

/** Where a failed path breaks, and why. */
export interface Diagnosis {
  /** Who wanted to reach whom: `ct1 to internet`. */
  path: string;
  /** The first place that breaks. */
  hop: string;
  /** Id of the most probable cause; null: the evidence names none. */
  cause: string | null;
  /** What supports it, a line each. */
  seen: string[];
  /** Up to that place; the last one breaks. */
  trail: Station[];
}
