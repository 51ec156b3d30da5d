import { mark } from '../rules.ts';
import type { Scene, Sh } from '../script.ts';

/** The firewall rules of this chapter, as build adds and undo removes them. */
export const rules = ({ $, plan: { bridge } }: Pick<Scene, '$' | 'plan'>): Record<'allow', Sh> => ({
  allow: $`iptables -A FORWARD -i ${bridge} -o ${bridge} ${mark} -j ACCEPT`,
});
