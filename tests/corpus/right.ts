import { Conditions, conditionValues, defaultPlan, derivePlan, type Plan } from '@handwired/host';
import type { Case } from './case.ts';
import { pairwise } from './pairwise.ts';
import { forPlan, type Recipe } from './recipe.ts';
import { dns } from './rights/dns.ts';
import { egress, openEgress } from './rights/egress.ts';
import { links } from './rights/links.ts';
import { openPublish, publish } from './rights/publish.ts';
import { servers } from './rights/servers.ts';

const plans = [defaultPlan, derivePlan('somebody')];
const values = Object.entries(conditionValues);

const scriptOf = (parts: readonly (Recipe | undefined)[]): string => parts.map((part) => part?.script ?? '').join('\n');

function caseOf(parts: (Recipe | undefined)[], conditions: Conditions, plan: Plan = defaultPlan): Case {
  const where = Object.values(conditions).join('/');
  return {
    id: `right: ${[...parts.map((part) => part?.name), where, plan.subnet].join(' + ')}`,
    class: 'right',
    grades: 'build',
    conditions,
    plan,
    script: forPlan(scriptOf(parts), plan),
    expected: { pass: true },
  };
}

/** Every recipe with every other one, and with each value of each condition and both plans: pairwise. */
const combined = (): Case[] => {
  const lists = [links, egress, dns, servers, publish];
  const rows = pairwise([...lists, plans, ...values.map(([, list]) => list)].map((list) => list.length));
  return rows.map((row) => {
    const parts = lists.map((list, n) => list[row[n] ?? 0]);
    const [server, port] = parts.slice(3);
    if (server?.kind === 'one by one' && port?.kind === 'proxy') parts[3] = servers[0];
    const chosen = row.slice(lists.length + 1).map((value, n) => [values[n]?.[0], values[n]?.[1][value]]);
    return caseOf(parts, Conditions.parse(Object.fromEntries(chosen)), plans[row[lists.length] ?? 0]);
  });
};

/** What is right under FORWARD ACCEPT and needs no rule of it; with bridge-nf 0 and 1. */
const open = (): Case[] =>
  openEgress.flatMap((out) =>
    openPublish.flatMap((port, n) =>
      (['0', '1'] as const).map((bridgeNf) =>
        caseOf([links[n], out, dns[n], servers[n], port], Conditions.parse({ 'bridge-nf': bridgeNf })),
      ),
    ),
  );

/** Where the lab host's resolv.conf names a server of the internet, the containers need none of their own. */
const shared = (): Case =>
  caseOf(
    [links[0], egress[0], { name: "the lab host's own resolv.conf", script: '' }, servers[0], publish[0]],
    Conditions.parse({ resolver: 'file' }),
  );

export const rightBuilds = (): Case[] => [...combined(), ...open(), shared()];
