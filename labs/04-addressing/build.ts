import type { Container } from '@handwired/host';
import { hasAddress, hasDefaultRoute, hasLink, isUp } from '../guards.ts';
import type { ScriptOf } from '../script.ts';
import type { chapter } from './chapter.ts';

export const build: ScriptOf<typeof chapter> = async ({ $, plan, step }) => {
  const { ct1, ct2, inner, gateway, prefix } = plan;
  const each = [ct1, ct2];
  const withPrefix = ({ address }: Container): string => `${address}/${prefix}`;
  await step(
    'loopback',
    ...each.map(({ name }) => ({ done: isUp($, 'lo', name), run: $`ip -n ${name} link set lo up` })),
  );
  await step(
    'rename',
    ...each.map(({ name, peer }) => ({
      done: hasLink($, inner, name),
      run: $`ip -n ${name} link set ${peer} name ${inner}`,
    })),
  );
  await step(
    'address',
    ...each.map((ct) => ({
      done: hasAddress($, inner, withPrefix(ct), ct.name),
      run: $`ip -n ${ct.name} addr add ${withPrefix(ct)} dev ${inner}`,
    })),
  );
  await step(
    'up',
    ...each.map(({ name }) => ({ done: isUp($, inner, name), run: $`ip -n ${name} link set ${inner} up` })),
  );
  await step(
    'route',
    ...each.map(({ name }) => ({
      done: hasDefaultRoute($, gateway, name),
      run: $`ip -n ${name} route add default via ${gateway}`,
    })),
  );
};
