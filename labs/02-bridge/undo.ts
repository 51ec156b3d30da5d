import { hasAddress, isBridge, isUp, not } from '../guards.ts';
import type { ScriptOf } from '../script.ts';
import type { chapter } from './chapter.ts';

export const undo: ScriptOf<typeof chapter> = async ({ $, plan: { bridge, gateway, prefix }, step }) => {
  const address = `${gateway}/${prefix}`;
  await step('up', { done: not(isUp($, bridge)), run: $`ip link set ${bridge} down` });
  await step('address', { done: not(hasAddress($, bridge, address)), run: $`ip addr del ${address} dev ${bridge}` });
  await step('add', { done: not(isBridge($, bridge)), run: $`ip link del ${bridge}` });
};
