import { EXIT, LabError } from '@handwired/host';
import { allows, carryOut, clashOf, drawsOf, type Fault, faults, fitting, type Level } from '@handwired/labs/faults';
import type { Context } from '../context.ts';
import { labFlag, named } from '../options.ts';
import { type BothWays, listed, passing, stillFailing } from './grade.ts';
import { faultsOf, forgetFault, noteOutcome, type OpenFault, saveFault } from './state.ts';

/** What is to be put in: these, or what a seed draws at a level. */
export type Wanted = { ids: readonly string[] } | { level: Level; seed: string };

/** Those faults. Throws LabError: two that can't be in place at once. */
export function asked(ids: readonly string[]): Fault[] {
  const some = faults.filter(({ id }) => ids.includes(id));
  const clash = clashOf(some);
  if (!clash) return some;
  throw new LabError({
    what: `the faults ${clash[0].id} and ${clash[1].id} exclude each other`,
    next: 'lab fault list',
    exit: EXIT.usage,
  });
}

/**
 * Puts faults in: only into what passes, and such as then show. A random draw that finds nothing to take hold of, or
 * changes nothing for the checks, is taken out, and the next one tried. Returns what is in place.
 */
export async function inject(lab: BothWays, wanted: Wanted, context: Context): Promise<OpenFault> {
  const { built, passed } = await passing(lab, context);
  const fits = (fault: Fault): boolean => built.includes(fault.needs) && allows(lab.spec, fault);
  const { name } = lab;
  const own = 'ids' in wanted ? asked(wanted.ids) : undefined;
  for (const fault of own ?? []) refuse(fault, lab, built);
  const draws = 'ids' in wanted ? [asked(wanted.ids)] : drawsOf(faults.filter(fits), wanted.level, wanted.seed);
  const holding = new Set(await fitting(sourceOf(lab, context), [...new Set(draws.flat())]));
  const level = 'level' in wanted ? wanted.level : levelOf(draws[0] ?? []);
  const seed = 'seed' in wanted ? wanted.seed : [...wanted.ids].sort().join(' ');
  for (const draw of draws) {
    if (!draw.every((fault) => holding.has(fault))) continue;
    const fresh = { schemaVersion: 1, phase: 'injecting', attempts: 0, right: false, hints: 0 } as const;
    const injectedAt = new Date().toISOString();
    const through = built.at(-1) ?? 'publish';
    const open = { ...fresh, ids: draw.map(({ id }) => id), level, seed, injectedAt, through, passed };
    const taken = await take(lab, open, context);
    if (taken) return taken;
  }
  throw new LabError({
    what:
      'ids' in wanted
        ? `${wanted.ids.join(' and ')} can't take hold in what is built in lab ${name}: it is of another shape`
        : `no fault of level ${level} can take hold in what is built in lab ${name}`,
    next: 'ids' in wanted ? `lab fault inject --random${labFlag(name)}` : `lab build${named(name)}`,
    exit: EXIT.config,
  });
}

/** Finishes an injection that was cut off; undefined: it could not take hold, and is out again. */
export const take = async (lab: BothWays, open: OpenFault, context: Context): Promise<OpenFault | undefined> => {
  const { name, spec } = lab;
  const source = sourceOf(lab, context);
  const some = faultsOf(open, name);
  await saveFault(name, { ...open, phase: 'injecting' });
  const isIn = (await carryOut(source, 'inject', some)) && (await fitting(source, some)).length === 0;
  if (isIn && (await stillFailing(lab, open, context)).length > 0) {
    const taken: OpenFault = { ...open, phase: 'open' };
    await noteOutcome(spec, taken, { repaired: false, closed: false }, context);
    await saveFault(name, taken);
    return taken;
  }
  await carryOut(source, 'repair', some);
  const left = await stillFailing(lab, open, context);
  await forgetFault(name);
  if (left.length === 0) return undefined;
  throw new LabError({
    what: `a fault that could not take hold left something behind (${listed(left)})`,
    next: `lab check --hints 3${named(name)}`,
  });
};

export const sourceOf = ({ session, spec: { plan } }: BothWays, { signal }: Context) => ({ session, plan, signal });

const levelOf = (some: readonly Fault[]): Level => (some.length > 1 ? 3 : (some[0]?.level ?? 1));

/** Throws LabError where a fault that was asked for has nothing to break in this lab. */
function refuse(fault: Fault, { name, spec }: BothWays, built: readonly string[]): void {
  const { id, needs, machine, conditions = {} } = fault;
  if (!built.includes(needs)) {
    throw new LabError({
      what: `${id} breaks what chapter ${needs} builds, which is not there`,
      where: name,
      next: `lab build${named(name)} --through ${needs}`,
      exit: EXIT.config,
    });
  }
  if (allows(spec, fault)) return;
  const wants = [
    ...(machine === undefined ? [] : [`--driver ${machine}`]),
    ...Object.entries(conditions).map(([key, value]) => `--condition ${key}=${value}`),
  ];
  throw new LabError({
    what: `${id} shows only on a lab host that was made with ${wants.join(' ')}`,
    where: name,
    next: `lab up another ${wants.join(' ')}`,
    exit: EXIT.config,
  });
}
