import type { ScriptOf } from '../script.ts';
import type { chapter } from './chapter.ts';

/** Nothing is built in this chapter. */
export const build: ScriptOf<typeof chapter> = () => Promise.resolve();
