/**
 * The faults, and the functions that work on them. This is an entry point of its own, because only some commands need
 * all these files.
 */
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
