/** Everything that a chapter's checks.ts needs: types of checks, facts and evidence, and queries about both. */
export { controls, type ProbeId } from './evidence/probes.ts';
export type { Evidence, Sight } from './evidence/evidence.ts';
export { type Difference, diffFacts, type Subject } from './facts/diff.ts';
export type { File, Named } from './facts/facts.ts';
export type { Link } from './facts/iproute.ts';
export type { CaptureFacts, Handshake } from './facts/work.ts';
export {
  type Case,
  type ChapterCheck,
  type ChapterChecks,
  type Check,
  fail,
  type GradedChapter,
  type Judgement,
  lostPackets,
  pass,
  type Signs,
} from './queries/check.ts';
export { listChecks } from './queries/chapters.ts';
export { checkUnderConditions } from './queries/conditions.ts';
export { findLeftovers, findOwner, giveBack, undoAll } from './queries/leftovers.ts';
export {
  listAddresses,
  containers,
  isAddressed,
  needLinked,
  findLink,
  joinWords,
  findNetns,
  findNewLinks,
  findPair,
  findPairs,
  renderUp,
  needRouted,
} from './queries/links.ts';
export {
  findAskedAt,
  isBlind,
  openingPackets,
  describeOutcome,
  findResult,
  findSights,
  describeWay,
  worldIsDown,
} from './queries/sights.ts';
export type { Which } from './queries/paths.ts';
export type { FaultNote } from './record.ts';
