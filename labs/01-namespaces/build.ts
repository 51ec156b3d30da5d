import { isNetns } from '../guards.ts';
import type { Command, ScriptOf } from '../script.ts';
import type { chapter } from './chapter.ts';

export const build: ScriptOf<typeof chapter> = async ({ $, plan: { ct1, ct2 }, step }) => {
  const add = (name: string): Command => ({
    done: isNetns($, name),
    // `ip netns add` that was cut off leaves an empty file, and then refuses because it exists.
    before: $`if test -f /run/netns/${name} && ! ip netns exec ${name} true; then rm -f /run/netns/${name}; fi 2>/dev/null`,
    run: $`ip netns add ${name}`,
  });
  await step('add', add(ct1.name), add(ct2.name));
};
