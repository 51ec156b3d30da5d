import { loadRecord, noteBegun, saveRecord } from '@handwired/checker';
import { recordFile } from '@handwired/host';
import { build } from '@handwired/labs';
import type { Context } from '../context.ts';
import { noteHint } from '../fault/state.ts';
import { remember } from './history.ts';

/**
 * Our solution for one lab. What it builds is written down before the first step: `lab check` grades these chapters also
 * when the build is cut off or undone. The caller holds the lab's lock.
 */
export const buildOn =
  (name: string, context: Context): typeof build =>
  async (session, plan, options) => {
    const record = await loadRecord(recordFile(name));
    noteBegun(record, options.chapters);
    await saveRecord(recordFile(name), record);
    await remember(name, context, { kind: 'build', chapters: [...options.chapters] });
    await noteHint(name);
    await build(session, plan, options);
  };
