import { hasLink, isPort, isUp, not } from '../guards.ts';
import type { ScriptOf } from '../script.ts';
import type { chapter } from './chapter.ts';

export const undo: ScriptOf<typeof chapter> = async ({ $, plan: { bridge, ct1, ct2 }, step }) => {
  const each = [ct2, ct1];
  await step('up', ...each.map(({ veth }) => ({ done: not(isUp($, veth)), run: $`ip link set ${veth} down` })));
  await step(
    'plug',
    ...each.map(({ veth }) => ({ done: not(isPort($, veth, bridge)), run: $`ip link set ${veth} nomaster` })),
  );
  // Removing one end removes the other, in whatever network namespace it is: `move` needs no undo of its own.
  await step('move');
  await step('add', ...each.map(({ veth }) => ({ done: not(hasLink($, veth)), run: $`ip link del ${veth}` })));
};
