/** The way into faults, beside that of labs: they are many files, which only the commands about faults need. */
export { answered } from './faults/engine/answer.ts';
export { allows, type Choice, choicesOf, clashOf, drawsOf, type Level } from './faults/engine/choose.ts';
export { carryOut, commandsOf, type FaultSource, fitting } from './faults/engine/run.ts';
export { understand } from './faults/engine/words.ts';
export type { Fault } from './faults/fault.ts';
export { faults } from './faults/registry.ts';
