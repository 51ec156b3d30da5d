import type { ScriptOf } from '../script.ts';
import type { chapter } from './chapter.ts';

/** Nothing was built in this chapter. */
export const undo: ScriptOf<typeof chapter> = () => Promise.resolve();
