import type { Container } from '@handwired/host';
import { hasAddress, hasDefaultRoute, isPaired, isUp, not } from '../guards.ts';
import type { ScriptOf } from '../script.ts';
import type { chapter } from './chapter.ts';

export const undo: ScriptOf<typeof chapter> = async ({ $, plan, step }) => {
  const { ct1, ct2, inner, gateway, prefix } = plan;
  const each = [ct2, ct1];
  const withPrefix = ({ address }: Container): string => `${address}/${prefix}`;
  await step(
    'route',
    ...each.map(({ name }) => ({
      done: not(hasDefaultRoute($, gateway, name)),
      run: $`ip -n ${name} route del default via ${gateway}`,
    })),
  );
  await step(
    'up',
    ...each.map(({ name }) => ({ done: not(isUp($, inner, name)), run: $`ip -n ${name} link set ${inner} down` })),
  );
  await step(
    'address',
    ...each.map((ct) => ({
      done: not(hasAddress($, inner, withPrefix(ct), ct.name)),
      run: $`ip -n ${ct.name} addr del ${withPrefix(ct)} dev ${inner}`,
    })),
  );
  await step(
    'rename',
    ...each.map((ct) => ({
      done: not(isPaired($, inner, ct)),
      run: $`ip -n ${ct.name} link set ${inner} name ${ct.peer}`,
    })),
  );
  await step(
    'loopback',
    ...each.map(({ name }) => ({ done: not(isUp($, 'lo', name)), run: $`ip -n ${name} link set lo down` })),
    // The kernel gave lo its address when it first went up, and leaves it there.
    ...each.map(({ name }) => ({
      done: not(hasAddress($, 'lo', '127.0.0.1/8', name)),
      run: $`ip -n ${name} addr del 127.0.0.1/8 dev lo`,
    })),
  );
};
