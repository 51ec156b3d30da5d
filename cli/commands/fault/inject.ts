import { randomInt } from 'node:crypto';
import { EXIT, LabError } from '@handwired/host';
import { canShowOn, findClash, drawFaults, type Fault, faults, findFitting, type Level } from '@handwired/labs/faults';
import { Option } from 'commander';
import {
  type Context,
  type LabCommand,
  resolveLabName,
  createLabOption,
  createWordParser,
  renderLabFlag,
  renderName,
  createUsageError,
} from '../../command.ts';
import {
  type FaultLab,
  findFault,
  finishInjection,
  gradeBuilt,
  type OpenFault,
  putFaultsIn,
  toTarget,
  withFaultLab,
} from '../../lab/fault.ts';

/** `lab fault inject`: breaks what is built, and does not say what. */
export const command: LabCommand = {
  example: 'lab fault inject\n  lab fault inject --level 2\n  lab fault inject masquerade-missing',
  declare: (command) =>
    command
      .argument('[fault...]', 'ids of faults, as lab fault list shows them')
      .addOption(createLabOption())
      .option('--random', 'draw at random (the default when no fault is given)')
      .addOption(
        new Option(
          '--level <level>',
          'how hard: 1 one command shows it, 2 the packet must be followed, 3 several at once (default 1)',
        ).argParser((text: string) =>
          Number(createWordParser('level', ['1', '2', '3'], 'lab fault inject --help')(text)),
        ),
      )
      .option('--seed <text>', 'draw the same faults again, by the seed that lab fault inject printed'),
  run: runInject,
};

interface InjectOptions {
  lab?: string;
  random?: boolean;
  level?: Level;
  seed?: string;
}

/** Which faults to inject: those with these ids, or a draw of a level by a seed. */
type Wanted = { ids: readonly string[] } | { level: Level; seed: string };

async function runInject(context: Context, words: readonly string[], options: InjectOptions): Promise<number> {
  const { lab: name = resolveLabName(), random = false, level = 1, seed = String(randomInt(1_000_000)) } = options;
  const ids = words.map(
    createWordParser(
      'fault',
      faults.map(({ id }) => id),
      'lab fault list',
    ),
  );
  if (ids.length > 0 && (random || options.level !== undefined || options.seed !== undefined)) {
    throw createUsageError('either faults, or --random, --level and --seed to draw one', 'fault inject');
  }
  context.resume = `lab fault inject${renderLabFlag(name)}   (goes on from here)`;
  if (ids.length > 0) findFaults(ids);
  const wanted: Wanted = ids.length > 0 ? { ids } : { level, seed };
  return withFaultLab(name, context, async (lab) => {
    const before = await findFault(name);
    if (before?.phase === 'open') throw createStillOpenError(before, name);
    const open =
      (before?.phase === 'injecting' ? await finishInjection(lab, before, context) : undefined) ??
      (await context.progress.stage('fault put in', () => inject(lab, wanted, context)));
    context.print(renderOpen(open, name));
    return EXIT.ok;
  });
}

/** The faults with these ids. Throws LabError (64) for two that can't be in place at once. */
function findFaults(ids: readonly string[]): Fault[] {
  const some = faults.filter(({ id }) => ids.includes(id));
  const clash = findClash(some);
  if (!clash) return some;
  throw new LabError({
    what: `the faults ${clash[0].id} and ${clash[1].id} exclude each other`,
    next: 'lab fault list',
    exit: EXIT.usage,
  });
}

/**
 * Puts faults into a lab whose checks all pass, so that a check fails of them. A draw that finds nothing to take hold of,
 * or makes no check fail, is taken out again, and the next draw is tried. Returns what is in place.
 */
async function inject(lab: FaultLab, wanted: Wanted, context: Context): Promise<OpenFault> {
  const { built, passed } = await gradeBuilt(lab, context);
  const canFit = (fault: Fault): boolean => built.includes(fault.needs) && canShowOn(lab.spec, fault);
  const asked = 'ids' in wanted ? findFaults(wanted.ids) : undefined;
  for (const fault of asked ?? []) refuseUnfit(fault, lab, built);
  const draws =
    'ids' in wanted ? [findFaults(wanted.ids)] : drawFaults(faults.filter(canFit), wanted.level, wanted.seed);
  const holding = new Set(await findFitting(toTarget(lab, context), [...new Set(draws.flat())]));
  const level = 'level' in wanted ? wanted.level : findLevel(draws[0] ?? []);
  const seed = 'seed' in wanted ? wanted.seed : nameSeed(wanted.ids);
  for (const draw of draws) {
    if (!draw.every((fault) => holding.has(fault))) continue;
    const taken = await putFaultsIn(
      lab,
      {
        schemaVersion: 1,
        phase: 'injecting',
        ids: draw.map(({ id }) => id),
        level,
        seed,
        injectedAt: new Date().toISOString(),
        through: built.at(-1) ?? 'publish',
        passed,
        attempts: 0,
        right: false,
        hints: 0,
      },
      context,
    );
    if (taken) return taken;
  }
  throw createNoHoldError(wanted, lab.name);
}

const createNoHoldError = (wanted: Wanted, name: string): LabError =>
  new LabError({
    what:
      'ids' in wanted
        ? `${wanted.ids.join(' and ')} can't take hold in what is built in lab ${name}: it is of another shape`
        : `no fault of level ${wanted.level} can take hold in what is built in lab ${name}`,
    next: 'ids' in wanted ? `lab fault inject --random${renderLabFlag(name)}` : `lab build${renderName(name)}`,
    exit: EXIT.config,
  });

const findLevel = (some: readonly Fault[]): Level => (some.length > 1 ? 3 : (some[0]?.level ?? 1));

/** The seed of faults that were asked for by id. */
const nameSeed = (ids: readonly string[]): string => [...ids].sort().join(' ');

/** Throws LabError (78) for a fault that was asked for and has nothing to break in this lab. */
function refuseUnfit(fault: Fault, { name, spec }: FaultLab, built: readonly string[]): void {
  const { id, needs, machine, conditions = {} } = fault;
  if (!built.includes(needs)) {
    throw new LabError({
      what: `${id} breaks what chapter ${needs} builds, which is not there`,
      where: name,
      next: `lab build${renderName(name)} --through ${needs}`,
      exit: EXIT.config,
    });
  }
  if (canShowOn(spec, fault)) return;
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

function renderOpen({ ids, seed, level }: OpenFault, name: string): string {
  const count = ids.length === 1 ? 'a fault is' : `${ids.length} faults are`;
  const it = ids.length === 1 ? 'it' : 'them';
  const by = seed === nameSeed(ids) ? '' : `, seed ${seed}`;
  return [
    `${count} in place (level ${level}${by})`,
    `next: lab check${renderName(name)}, find ${it}, mend ${it}; then lab fault submit${renderLabFlag(name)}`,
  ].join('\n');
}

const createStillOpenError = ({ injectedAt, ids }: OpenFault, name: string): LabError =>
  new LabError({
    what: `${ids.length === 1 ? 'a fault is' : `${ids.length} faults are`} in place already, since ${injectedAt}`,
    where: name,
    next: `lab fault submit${renderLabFlag(name)}   (lab fault reveal gives up)`,
    exit: EXIT.usage,
  });
