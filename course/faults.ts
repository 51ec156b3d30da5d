/** Faults: what one is, how it is drawn, put in and taken out, and how a learner's answer about it is judged. */
import { createHash } from 'node:crypto';
import { type ChapterId, type Conditions, type LabSpec, type Plan, type Session } from '@handwired/host';
import type { Command } from './commands.ts';
import { renderGuardedScript } from './run.ts';

/** Something that is broken on purpose. Its id is the name of its file. labs/faults/registry.ts lists it. */
export interface Fault {
  /** Kebab case, unique. */
  id: string;
  /** The root cause in a short sentence, without this lab's values: it also stands among the choices of a learner. */
  title: string;
  /** 1: one command shows it. 2: the packet has to be followed. 3: it misleads; it is drawn only among several. */
  level: 1 | 2 | 3;
  /** The last chapter that must be built, and must pass, before the fault can break anything. */
  needs: ChapterId;
  /** The conditions that the lab host must have been made with. */
  conditions?: Partial<Conditions>;
  /**
   * The driver that it needs. A VM has a kernel of its own; elsewhere the setting would change for all network
   * namespaces of the machine.
   */
  machine?: 'vm';
  /**
   * Ids of faults that can't be in place together with this one. One of the two naming the other is enough. Faults
   * with the same cause always exclude each other.
   */
  excludes: readonly string[];
  /** Id of the cause (checker/diagnosis) that the checker must name for it. */
  cause: string;
  /** Ids of checks that fail with it after `lab build`. */
  symptoms: readonly string[];
  /**
   * Commands in their order. Each has a `done`, which is true once the fault is in. Where every `done` is true before,
   * the lab host has nothing that the fault could break. The change looks like a learner's own work: a rule is changed in
   * its place, without our comment; a file keeps its time (labs/faults/parts.ts); nothing else is written.
   */
  inject: (plan: Plan) => Command[];
  /** Commands that repair it after `lab build`, as a learner would type them. */
  repair: (plan: Plan) => Command[];
  /** How the symptoms follow from the cause, in a sentence or two. */
  explanation: string;
}

// Putting in and taking out.

/** What a fault's commands need of a lab host. */
export interface FaultSource {
  session: Session;
  plan: Plan;
  signal?: AbortSignal | undefined;
}

/** The commands that inject some faults, or that repair them, the last fault first. */
export function listFaultCommands(action: 'inject' | 'repair', some: readonly Fault[], plan: Plan): Command[] {
  return (action === 'inject' ? some : some.toReversed()).flatMap((fault) => fault[action](plan));
}

/** Finds the faults that could break something on the lab host as it is now. Takes one round trip. */
export async function findFitting(source: FaultSource, some: readonly Fault[]): Promise<Fault[]> {
  const script = some.map((fault, i) => {
    const tests = listFaultCommands('inject', [fault], source.plan).map(({ done }) => `{ ${done?.cmd ?? 'false'}; }`);
    return `if { ${tests.join(' && ')}; } > /dev/null 2>&1; then :; else echo fits ${i}; fi`;
  });
  const { stdout } = await runScript(source, script.join('\n'));
  const fits = new Set(stdout.split('\n'));
  return some.filter((_fault, i) => fits.has(`fits ${i}`));
}

/**
 * Injects or repairs faults in one round trip; a command whose `done` is true already is skipped. A shell without a
 * history reads the script from stdin, so that no list of processes shows it. Returns false when a command failed or had
 * no effect: the build is of another shape. Throws LabError when the lab host can't be reached; rethrows the abort reason.
 */
export async function applyFaults(
  source: FaultSource,
  action: 'inject' | 'repair',
  some: readonly Fault[],
): Promise<boolean> {
  const { code } = await runScript(source, renderGuardedScript(listFaultCommands(action, some, source.plan)));
  return code === 0;
}

const runScript = ({ session, signal }: FaultSource, script: string) =>
  session.exec(['/bin/sh'], { input: `${script}\n`, maxBytes: 256 * 1024, ...(signal ? { signal } : {}) });

// Drawing.

/** The level of a draw: one fault of level 1, one of level 2, or several at once. */
export type Level = 1 | 2 | 3;

/** How many choices a learner is given for one fault, the true cause among them. */
const CHOICES = 8;

/** Shuffles by a seed: the same order for the same seed, on every machine. */
const shuffle = <T>(items: readonly T[], seed: string, readKey: (item: T) => string): T[] =>
  items
    .map((item) => ({
      item,
      at: createHash('sha256')
        .update(`${seed}\n${readKey(item)}`)
        .digest('hex'),
    }))
    .sort((a, b) => (a.at < b.at ? -1 : 1))
    .map(({ item }) => item);

/** Whether two faults can't be in place at once: one of them excludes the other, or both have the same cause. */
const areExclusive = (one: Fault, other: Fault): boolean =>
  one.cause === other.cause || one.excludes.includes(other.id) || other.excludes.includes(one.id);

/** The first two of these faults that exclude each other. undefined when all can be in place at once. */
export function findClash(some: readonly Fault[]): [Fault, Fault] | undefined {
  for (const [i, one] of some.entries()) {
    const other = some.slice(i + 1).find((later) => areExclusive(one, later));
    if (other) return [one, other];
  }
  return undefined;
}

/** Whether a fault can show on a lab, judged by the lab's driver and conditions. */
export const canShowOn = ({ driver, conditions }: Pick<LabSpec, 'driver' | 'conditions'>, fault: Fault): boolean =>
  (fault.machine === undefined || fault.machine === driver) &&
  Object.entries(fault.conditions ?? {}).every(([key, value]) => conditions[key as keyof Conditions] === value);

/**
 * Draws from the given faults, in the order of a seed: for level 1 and 2 single faults of that level, for level 3 sets of
 * two or three faults that do not exclude each other. The caller takes the first draw that works on the lab host.
 */
export function drawFaults(some: readonly Fault[], level: Level, seed: string): Fault[][] {
  if (level !== 3) {
    const own = some.filter((fault) => fault.level === level);
    return shuffle(own, seed, ({ id }) => id).map((fault) => [fault]);
  }
  const order = shuffle(some, seed, ({ id }) => id);
  const draws = order.map((first, at) => pickSet([first, ...order.toSpliced(at, 1)], drawSize(seed, first)));
  return draws.filter((set) => set.length > 1);
}

const drawSize = (seed: string, { id }: Fault): number =>
  2 + ((createHash('sha256').update(`${seed} size ${id}`).digest()[0] ?? 0) % 2);

function pickSet(order: readonly Fault[], size: number): Fault[] {
  const set: Fault[] = [];
  for (const fault of order) if (set.length < size && !set.some((one) => areExclusive(one, fault))) set.push(fault);
  return set;
}

/** One of the root causes that a learner can choose from. */
export interface Choice {
  /** Id of the checker's cause. */
  cause: string;
  title: string;
}

/** The true causes among others with the most similar symptoms, shuffled by a seed. */
export function makeChoices(open: readonly Fault[], faults: readonly Fault[], seed: string): Choice[] {
  const symptoms = new Set(open.flatMap((fault) => fault.symptoms));
  const measureLikeness = ({ symptoms: own }: Fault): number =>
    own.filter((id) => symptoms.has(id)).length / own.length;
  const others = shuffle(faults, seed, ({ id }) => id).sort((a, b) => measureLikeness(b) - measureLikeness(a));
  const distinct = [...open, ...others].filter(
    (fault, at, all) => all.findIndex(({ cause }) => cause === fault.cause) === at,
  );
  const chosen = distinct.slice(0, CHOICES + 2 * (open.length - 1));
  return shuffle(chosen, `${seed} choices`, ({ id }) => id).map(({ cause, title }) => ({ cause, title }));
}

// Answers.

/** The verdict on an answer. */
interface JudgedAnswer {
  /** It names each true cause and nothing else. */
  right: boolean;
  /** How many of the true causes it names, and how many there are. */
  named: number;
  of: number;
}

/** Judges the causes that a learner names against the faults that are in place. */
export function judgeAnswer(open: readonly Fault[], causes: readonly string[]): JudgedAnswer {
  const given = new Set(causes);
  const truth = new Set(open.map(({ cause }) => cause));
  const named = [...truth].filter((cause) => given.has(cause)).length;
  return { right: named === truth.size && given.size === truth.size, named, of: truth.size };
}
