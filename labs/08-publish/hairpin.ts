import { givingBack, noting } from '../notes.ts';
import type { Command, Scene } from '../script.ts';

type Where = Pick<Scene, '$' | 'plan'>;

const isHairpin = ({ $, plan: { ct1 } }: Where) => $`bridge -d link show dev ${ct1.veth} | grep -q 'hairpin on'`;
const noteName = ({ plan: { ct1 } }: Where): string => `hairpin-${ct1.veth}`;

/** bridge(8): a frame may leave by the port that it came in by. */
export const hairpinOn = (where: Where): Command => {
  const { $, plan } = where;
  return noting($, noteName(where), $`echo off`, {
    done: isHairpin(where),
    run: $`bridge link set dev ${plan.ct1.veth} hairpin on`,
  });
};

export const hairpinOff = (where: Where): Command => {
  const { $, plan } = where;
  return givingBack($, noteName(where), $`bridge link set dev ${plan.ct1.veth} hairpin off`, isHairpin(where));
};
