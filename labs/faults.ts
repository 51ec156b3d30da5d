/** The faults, with the engine's functions that need all of them. An entry of its own: only some commands load so many files. */
import { type Choice, type Fault, makeChoices } from '@handwired/course';
import { faults } from './faults/registry.ts';

export {
  applyFaults,
  type Choice,
  drawFaults,
  type Fault,
  listFaultCommands,
  type FaultSource,
  findClash,
  findFitting,
  judgeAnswer,
  type Level,
  canShowOn,
} from '@handwired/course';
export { faults };

/** The true causes among others with the most similar symptoms, shuffled by a seed. */
export const offerChoices = (open: readonly Fault[], seed: string): Choice[] => makeChoices(open, faults, seed);
