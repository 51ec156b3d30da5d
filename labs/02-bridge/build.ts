import { hasAddress, isBridge, isUp } from '../guards.ts';
import type { ScriptOf } from '../script.ts';
import type { chapter } from './chapter.ts';

export const build: ScriptOf<typeof chapter> = async ({ $, plan: { bridge, gateway, prefix }, step }) => {
  const address = `${gateway}/${prefix}`;
  await step('add', {
    done: isBridge($, bridge),
    run: $`ip link add name ${bridge} address ${macOf(gateway)} type bridge`,
  });
  await step('address', {
    done: hasAddress($, bridge, address),
    run: $`ip addr add ${address} dev ${bridge}`,
  });
  await step('up', { done: isUp($, bridge), run: $`ip link set ${bridge} up` });
};

/** A locally administered MAC address made from an IPv4 address, as Docker made its containers' before version 28. */
const macOf = (address: string): string =>
  ['02', '42', ...address.split('.').map((part) => Number(part).toString(16).padStart(2, '0'))].join(':');
