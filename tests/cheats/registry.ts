import { borrowedAddress } from './borrowed-address.ts';
import { captiveEgress } from './captive-egress.ts';
import type { Cheat } from './cheat.ts';
import { craftedWords } from './crafted-words.ts';
import { endlessOutput } from './endless-output.ts';
import { endlessServer } from './endless-server.ts';
import { forgedLog } from './forged-log.ts';
import { forgedNames } from './forged-names.ts';
import { forkBomb } from './fork-bomb.ts';
import { frozenClock } from './frozen-clock.ts';
import { localInternet } from './local-internet.ts';
import { oneNamespace } from './one-namespace.ts';
import { otherWorld } from './other-world.ts';
import { preload } from './preload.ts';
import { replacedTools } from './replaced-tools.ts';
import { replayedAnswer } from './replayed-answer.ts';
import { returnPath } from './return-path.ts';
import { serverWhenAsked } from './server-when-asked.ts';
import { shadowedTools } from './shadowed-tools.ts';
import { whenLookedAt } from './when-looked-at.ts';

/** Every cheat. A new one is a file and a line here. */
export const cheats: readonly Cheat[] = [
  replacedTools,
  shadowedTools,
  preload,
  replayedAnswer,
  localInternet,
  forgedNames,
  captiveEgress,
  returnPath,
  otherWorld,
  forgedLog,
  borrowedAddress,
  oneNamespace,
  whenLookedAt,
  serverWhenAsked,
  craftedWords,
  endlessOutput,
  endlessServer,
  forkBomb,
  frozenClock,
];
