import { Conditions, defaultPlan } from '@handwired/host';
import type { Case } from './case.ts';
import { expectedOf, expectedOfCleanup, isAskedFor, isRule } from './expect.ts';
import { buildLines, cleanupLines, type Line, scriptOf } from './lines.ts';
import { type Mutant, mutantsOf } from './mutate.ts';

/** The hardest conditions: here every rule of the build is needed. */
const strict = Conditions.parse({ 'forward-policy': 'drop', 'bridge-nf': '1' });

/**
 * Not the same twice: of what is moved or doubled without effect one of each chapter; of a step that the plan does not
 * ask for its absence and what does harm; of the two containers' like commands, ct1's values. And no server started in
 * the background before its namespace is made: it may or may not find it.
 */
function worthwhile(mutants: readonly Mutant[]): Mutant[] {
  const seen = new Set<string>();
  return mutants.filter((mutant) => {
    const { class: kind, line, moved } = mutant;
    const order = kind === 'reorder' || kind === 'double';
    if (moved === 'start' && line.step === 'publish/serve') return false;
    if ('fails' in expectedOf(mutant)) return order || line.ct !== 'ct2' || ['drop', 'address', 'name'].includes(kind);
    if (!order) return kind === 'drop' || isAskedFor(line);
    const like = `${kind} ${moved ?? ''} ${line.step.replace(/\/.*/, '')}`;
    return !seen.has(like) && seen.add(like);
  });
}

/** The web page's text has nothing to do with the network, so it is not altered. */
const kept = ({ step }: Line): boolean => step === 'publish/page';

const short = (cmd: string): string =>
  cmd
    .replace(' -m comment --comment handwired', '')
    .replace(/ < .*/, '')
    .replace('http.server', 'server')
    .slice(0, 130);

function nameOf({ class: kind, line, became, moved }: Mutant): string {
  if (became !== null) return `${kind}: \`${short(line.cmd)}\` -> \`${short(became)}\``;
  return `${kind}${moved ? ` to the ${moved}` : ''}: \`${short(line.cmd)}\``;
}

/** Every fault that can be derived from the build's own commands. */
export function mutatedBuilds(): Case[] {
  const lines = buildLines();
  const cleanup = scriptOf(cleanupLines('0'));
  return worthwhile(mutantsOf(lines, kept)).map((mutant): Case => {
    const common = { class: mutant.class, conditions: strict, plan: defaultPlan, script: scriptOf(mutant.lines) };
    const doubled = mutant.class === 'double' && isRule(mutant.line);
    return {
      ...common,
      id: nameOf(mutant),
      expected: expectedOf(mutant),
      ...(doubled ? { grades: 'cleanup', cleanup } : { grades: 'build' }),
    };
  });
}

/** Steps whose rules FORWARD ACCEPT hides the faults of, and the check that tries them under DROP. */
const forward: Record<string, string> = {
  'connectivity/allow': 'connectivity.conditions',
  'egress/out': 'egress.conditions',
  'egress/back': 'egress.conditions',
  'publish/accept': 'publish.conditions',
};

/** The faults in rules of FORWARD again, on a lab host where the policy ACCEPT and bridge-nf 0 hide them. */
export function hiddenFaults(): Case[] {
  const mutants = mutantsOf(buildLines(), ({ step }) => forward[step] === undefined);
  return mutants.flatMap((mutant): Case[] => {
    const expected = expectedOf(mutant);
    const check = forward[mutant.line.step];
    // A rule that drops shows under ACCEPT too; between two ports only where the bridge asks iptables.
    const open = mutant.became?.includes('-j DROP') === true && check !== 'connectivity.conditions';
    if (mutant.class === 'double' || !('fails' in expected) || check === undefined || open) return [];
    const conditions = Conditions.parse({});
    const common = { class: mutant.class, conditions, plan: defaultPlan, script: scriptOf(mutant.lines) };
    const id = `under ACCEPT, ${nameOf(mutant)}`;
    return [{ ...common, id, grades: 'build', hidden: true, expected: { fails: check } }];
  });
}

/** The same for the cleanup: each line missing, and of each line that can be altered one alteration. */
export function mutatedCleanups(): Case[] {
  const script = scriptOf(buildLines());
  const lines = cleanupLines('0');
  const all = mutantsOf(lines, kept).filter(({ class: kind }) => kind !== 'reorder' && kind !== 'double');
  const altered = lines.flatMap((line, n) => {
    const some = all.filter((mutant) => mutant.line === line && mutant.class !== 'drop');
    return some.slice(n % Math.max(some.length, 1)).slice(0, 1);
  });
  return [...all.filter(({ class: kind }) => kind === 'drop'), ...altered].map(
    (mutant): Case => ({
      id: `cleanup, ${nameOf(mutant)}`,
      class: mutant.class,
      grades: 'cleanup',
      conditions: strict,
      plan: defaultPlan,
      script,
      cleanup: scriptOf(mutant.lines),
      expected: expectedOfCleanup(mutant.line),
    }),
  );
}
