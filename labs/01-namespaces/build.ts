import { isNetns } from '../guards.ts';
import type { Command, ScriptOf } from '../script.ts';
import type { chapter } from './chapter.ts';

export const build: ScriptOf<typeof chapter> = async ({ $, plan: { ct1, ct2 }, step }) => {
  const add = (name: string): Command => ({
    done: isNetns($, name),
    // One that was cut off leaves an empty file without a mount on it, and the next says "File exists".
    before: $`rm -f /run/netns/${name}`,
    run: $`ip netns add ${name}`,
  });
  await step('add', add(ct1.name), add(ct2.name));
};
