import { append } from '../rules.ts';
import type { ScriptOf } from '../script.ts';
import type { chapter } from './chapter.ts';
import { rules } from './rules.ts';

export const build: ScriptOf<typeof chapter> = async ({ $, plan, step }) => {
  const { ct1, ct2 } = plan;
  await step('allow', append(rules({ $, plan }).allow));
  await step(
    'ping',
    { run: $`ip netns exec ${ct1.name} ping -c 2 -i 0.2 -W 2 ${ct2.address}` },
    { run: $`ip netns exec ${ct2.name} ping -c 2 -i 0.2 -W 2 ${ct1.address}` },
  );
};
