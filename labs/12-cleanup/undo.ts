import type { ScriptOf } from '../script.ts';
import type { chapter } from './chapter.ts';

/** What was cleaned away comes back by building it again, not from here. */
export const undo: ScriptOf<typeof chapter> = () => Promise.resolve();
