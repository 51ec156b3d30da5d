import { either, hasLink, isPort, isUp } from '../guards.ts';
import type { ScriptOf } from '../script.ts';
import type { chapter } from './chapter.ts';

export const build: ScriptOf<typeof chapter> = async ({ $, plan: { bridge, ct1, ct2, inner }, step }) => {
  const each = [ct1, ct2];
  await step(
    'add',
    ...each.map(({ veth, peer }) => ({
      done: hasLink($, veth),
      run: $`ip link add ${veth} type veth peer name ${peer}`,
    })),
  );
  await step(
    'move',
    ...each.map(({ name, peer }) => ({
      done: either(hasLink($, peer, name), hasLink($, inner, name)),
      run: $`ip link set ${peer} netns ${name}`,
    })),
  );
  await step(
    'plug',
    ...each.map(({ veth }) => ({ done: isPort($, veth, bridge), run: $`ip link set ${veth} master ${bridge}` })),
  );
  await step('up', ...each.map(({ veth }) => ({ done: isUp($, veth), run: $`ip link set ${veth} up` })));
};
