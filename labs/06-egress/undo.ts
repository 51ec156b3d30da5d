import { restoreSysctl } from '../notes.ts';
import { remove } from '../rules.ts';
import type { ScriptOf } from '../script.ts';
import type { chapter } from './chapter.ts';
import { forwardingNote, rules } from './rules.ts';

export const undo: ScriptOf<typeof chapter> = async ({ $, plan, step }) => {
  const { protect, out, back, masquerade } = rules({ $, plan });
  await step('forwarding', restoreSysctl($, forwardingNote));
  await step('masquerade', ...masquerade.map(remove));
  await step('back', ...back.map(remove));
  await step('out', ...out.map(remove));
  await step('protect', ...protect.map(remove));
};
