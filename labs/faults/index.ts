/** The way into faults, beside that of labs: they are many files, which only the commands about faults need. */
export { answered } from './engine/answer.ts';
export { allows, type Choice, choicesOf, clashOf, drawsOf, type Level } from './engine/choose.ts';
export { carryOut, commandsOf, type FaultSource, fitting } from './engine/run.ts';
export { understand } from './engine/words.ts';
export type { Fault } from './fault.ts';
export { faults } from './registry.ts';
