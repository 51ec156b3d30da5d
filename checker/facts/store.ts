import { readJson, writeAtomic } from '@handwired/host';
import { Facts } from './facts.ts';

/** Writes facts as JSON, whole or not at all. */
export const saveFacts = (file: string, facts: Facts): Promise<void> => writeAtomic(file, `${JSON.stringify(facts)}\n`);

/** Reads facts back; undefined when there is no file. Throws LabError when it is not of this version. */
export const loadFacts = (file: string): Promise<Facts | undefined> => readJson(file, Facts);
