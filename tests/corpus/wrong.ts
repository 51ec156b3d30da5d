import { listChecks } from '@handwired/checker/checks';
import { Conditions, defaultPlan } from '@handwired/host';
import { gradedChapters } from '@handwired/labs/checks';
import type { Case } from './case.ts';
import { network } from '../../checker/testing/fixtures.ts';
import { buildLines, cleanupLines, scriptOf } from './lines.ts';
import { dns } from './rights/dns.ts';
import { egress } from './rights/egress.ts';
import { links as cables } from './rights/links.ts';
import { publish } from './rights/publish.ts';
import { servers } from './rights/servers.ts';
import { leftovers } from './wrongs/leftovers.ts';
import { links } from './wrongs/links.ts';
import { names } from './wrongs/names.ts';
import { published } from './wrongs/published.ts';
import { traffic } from './wrongs/traffic.ts';
import type { Wrong } from './wrongs/wrong.ts';

const strict = { 'forward-policy': 'drop', 'bridge-nf': '1' } as const;

function textOf({ recipes, swap, name }: Wrong, course: string): string {
  const parts = [
    [cables, recipes?.links],
    [egress, recipes?.egress],
    [dns, recipes?.dns],
    [servers, recipes?.servers],
    [publish, recipes?.publish],
  ] as const;
  const whole = recipes ? parts.map(([list, n]) => list[n ?? 0]?.script ?? '').join('\n') : course;
  if (!swap) return whole;
  const text = whole.replace(...swap);
  if (text === whole) throw new Error(`there is nothing to replace: ${name}`);
  return text;
}

/** The kernel removes a deleted namespace's links a moment later. Until then, no other link can have their names. */
const gone = 'while ip -o link show type veth | grep -qv enp1s0; do :; done';

/** Wrong builds from the checks' own entries, which say what breaks them. */
const ownBreakages = (course: string): Case[] =>
  listChecks(gradedChapters.filter(({ id }) => network.includes(id))).flatMap(({ id, breaks }) =>
    breaks
      ? [
          {
            id: `${id}: as its entry breaks it`,
            class: 'by hand',
            grades: 'build' as const,
            conditions: Conditions.parse(strict),
            plan: defaultPlan,
            script: `${course}\n${breaks(defaultPlan)}`,
            expected: { fails: id },
          },
        ]
      : [],
  );

/** Faults that somebody thought of, after those that learners and other graders are known for. */
export function wrongBuilds(): Case[] {
  const course = scriptOf(buildLines());
  const all = { links, traffic, names, published };
  const others = Object.entries(all).flatMap(([kind, list]) =>
    list.map(
      (wrong): Case => ({
        id: `${kind}: ${wrong.name}`,
        class: 'by hand',
        grades: 'build',
        conditions: Conditions.parse({ ...strict, ...wrong.conditions }),
        plan: defaultPlan,
        script: `${textOf(wrong, course)}\n${wrong.add ?? ''}`,
        expected: { fails: wrong.fails },
        ...(wrong.deceives ? { deceives: true } : {}),
        ...(wrong.hidden ? { hidden: true } : {}),
      }),
    ),
  );
  return [...others, ...ownBreakages(course)];
}

export function wrongCleanups(): Case[] {
  const script = scriptOf(buildLines());
  const cases = leftovers.map(({ name, add = '', fails, conditions = {} }): Case => {
    const right = scriptOf(cleanupLines(conditions['ip-forward'] ?? '0'));
    const common = { class: 'by hand', grades: 'cleanup', plan: defaultPlan, script } as const;
    const where = Conditions.parse({ ...strict, ...conditions });
    return {
      ...common,
      id: `leftovers: ${name}`,
      conditions: where,
      cleanup: `${right}\n${gone}\n${add}`,
      expected: { fails },
    };
  });
  const nothing: Case = {
    id: 'leftovers: nothing was ever built',
    class: 'by hand',
    grades: 'cleanup',
    conditions: Conditions.parse(strict),
    plan: defaultPlan,
    script: '',
    expected: { fails: 'cleanup.begun' },
  };
  return [...cases, nothing];
}
