import type { Conditions } from '@handwired/host';

/** A fault that no mutation of a single command makes. */
export interface Wrong {
  name: string;
  /** The check that must catch it. */
  fails: string;
  /** Typed after the build, or after the cleanup. */
  add?: string;
  /** In the build's text: what is replaced by what. */
  swap?: [from: RegExp, to: string];
  /** Which recipes to build with, the first of each list where none is named; absent: the course's own build. */
  recipes?: { links?: number; egress?: number; dns?: number; servers?: number; publish?: number };
  /** It shows under FORWARD DROP with bridge-nf 1 only. */
  hidden?: true;
  /** Plain commands can't tell it from a right build: somebody else gives the same answers. */
  deceives?: true;
  conditions?: Partial<Conditions>;
}
