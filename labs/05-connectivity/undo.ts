import { remove } from '../rules.ts';
import type { ScriptOf } from '../script.ts';
import type { chapter } from './chapter.ts';
import { rules } from './rules.ts';

export const undo: ScriptOf<typeof chapter> = async ({ $, plan, step }) => {
  await step('ping');
  await step('allow', remove(rules({ $, plan }).allow));
};
