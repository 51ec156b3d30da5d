/** What a learner is told of a failure, step by step. */
export interface Hint {
  /** Where to look and with which command; never the answer. */
  look: string;
  /** What is wrong. */
  wrong?: string | undefined;
  /** Commands that mend it, a line each, typeable as they stand at the lab host's bash as root. */
  mend?: string | undefined;
}

/** 0 no hint, 1 where to look, 2 what is wrong, 3 the commands that mend it. */
export type HintLevel = 0 | 1 | 2 | 3;

/** A hint at a level; where nothing is known for it, the level below. At 3 all of it can be typed: what is wrong is a comment. */
export function hintAt({ look, wrong, mend }: Hint, level: HintLevel): string | null {
  if (level === 0) return null;
  if (level === 1) return look;
  if (level === 2 || mend === undefined) return wrong ?? look;
  return wrong === undefined ? mend : `# ${wrong.replaceAll(/\s*\n\s*/g, ' ')}\n${mend}`;
}
