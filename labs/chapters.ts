import { build as buildTour } from './00-tour/build.ts';
import { chapter as tour } from './00-tour/chapter.ts';
import { undo as undoTour } from './00-tour/undo.ts';
import { build as buildNamespaces } from './01-namespaces/build.ts';
import { chapter as namespaces } from './01-namespaces/chapter.ts';
import { undo as undoNamespaces } from './01-namespaces/undo.ts';
import { build as buildBridge } from './02-bridge/build.ts';
import { chapter as bridge } from './02-bridge/chapter.ts';
import { undo as undoBridge } from './02-bridge/undo.ts';
import { build as buildVeth } from './03-veth/build.ts';
import { chapter as veth } from './03-veth/chapter.ts';
import { undo as undoVeth } from './03-veth/undo.ts';
import { build as buildAddressing } from './04-addressing/build.ts';
import { chapter as addressing } from './04-addressing/chapter.ts';
import { undo as undoAddressing } from './04-addressing/undo.ts';
import { build as buildConnectivity } from './05-connectivity/build.ts';
import { chapter as connectivity } from './05-connectivity/chapter.ts';
import { undo as undoConnectivity } from './05-connectivity/undo.ts';
import { build as buildEgress } from './06-egress/build.ts';
import { chapter as egress } from './06-egress/chapter.ts';
import { undo as undoEgress } from './06-egress/undo.ts';
import { build as buildDns } from './07-dns/build.ts';
import { chapter as dns } from './07-dns/chapter.ts';
import { undo as undoDns } from './07-dns/undo.ts';
import { build as buildPublish } from './08-publish/build.ts';
import { chapter as publish } from './08-publish/chapter.ts';
import { undo as undoPublish } from './08-publish/undo.ts';
import { build as buildObserve } from './09-observe/build.ts';
import { chapter as observe } from './09-observe/chapter.ts';
import { undo as undoObserve } from './09-observe/undo.ts';
import { build as buildDocker } from './10-docker/build.ts';
import { chapter as docker } from './10-docker/chapter.ts';
import { undo as undoDocker } from './10-docker/undo.ts';
import { build as buildTroubleshoot } from './11-troubleshoot/build.ts';
import { chapter as troubleshoot } from './11-troubleshoot/chapter.ts';
import { undo as undoTroubleshoot } from './11-troubleshoot/undo.ts';
import { build as buildCleanup } from './12-cleanup/build.ts';
import { chapter as cleanup } from './12-cleanup/chapter.ts';
import { undo as undoCleanup } from './12-cleanup/undo.ts';
import type { Chapter } from './script.ts';

/** The course, in its order. A folder that is not listed here fails a test. */
export const chapters: readonly Chapter[] = [
  { ...tour, build: buildTour, undo: undoTour },
  { ...namespaces, build: buildNamespaces, undo: undoNamespaces },
  { ...bridge, build: buildBridge, undo: undoBridge },
  { ...veth, build: buildVeth, undo: undoVeth },
  { ...addressing, build: buildAddressing, undo: undoAddressing },
  { ...connectivity, build: buildConnectivity, undo: undoConnectivity },
  { ...egress, build: buildEgress, undo: undoEgress },
  { ...dns, build: buildDns, undo: undoDns },
  { ...publish, build: buildPublish, undo: undoPublish },
  { ...observe, build: buildObserve, undo: undoObserve },
  { ...docker, build: buildDocker, undo: undoDocker },
  { ...troubleshoot, build: buildTroubleshoot, undo: undoTroubleshoot },
  { ...cleanup, build: buildCleanup, undo: undoCleanup },
];
