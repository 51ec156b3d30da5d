/** Faults: what one is, how it is drawn, put in and taken out, and how a learner's answer about it is judged. */
import { createHash } from 'node:crypto';
import { type ChapterId, type Conditions, type LabSpec, type Plan, type Session } from '@handwired/host';
import type { Command } from './commands.ts';
import { guardedScript } from './run.ts';

/** A breakage put in on purpose. The file's name is its id; labs/faults/registry.ts lists it. */
export interface Fault {
  /** Kebab case, unique. */
  id: string;
  /** The root cause in a short sentence, without this lab's values: it also stands among the choices of a learner. */
  title: string;
  /** 1 one look shows it, 2 it takes following the packet, 3 it misleads: such a one is met by its id or among several. */
  level: 1 | 2 | 3;
  /** The last chapter that must be built, and pass, for it to break anything. */
  needs: ChapterId;
  /** Only on a lab host that was made with these. */
  conditions?: Partial<Conditions>;
  /** Only where the lab host has a kernel of its own: what is set is one setting for all network namespaces. */
  machine?: 'vm';
  /** Ids of faults that can't be in place at once with it; said by one of the two. Those of one cause exclude each other. */
  excludes: readonly string[];
  /** Id of the checker's cause (checker/diagnosis) that must be named for it. */
  cause: string;
  /** Ids of checks that fail with it on a lab host that `lab build` built. */
  symptoms: readonly string[];
  /**
   * Commands in their order. Each has a `done`, true once the fault is in: where all of them are true before, there is
   * nothing here to take hold of. They look like a learner's own work: a rule is changed where it stands, without a mark;
   * a file keeps its time (parts.ts); nothing is written beside what is broken.
   */
  inject: (plan: Plan) => Command[];
  /** What mends it on a lab host that `lab build` built, as one would type it. */
  repair: (plan: Plan) => Command[];
  /** Why what is seen follows from it: a sentence or two. */
  tells: string;
  /** Words by which a learner's own text is known to mean its cause: all words of one entry, each as it begins. */
  words: readonly string[];
}

// Putting in and taking out.

/** What a fault's commands need of a lab host. */
export interface FaultSource {
  session: Session;
  plan: Plan;
  signal?: AbortSignal | undefined;
}

/** The commands of some faults: as they are injected, or as they are mended, the last first. */
export function faultCommands(action: 'inject' | 'repair', some: readonly Fault[], plan: Plan): Command[] {
  return (action === 'inject' ? some : some.toReversed()).flatMap((fault) => fault[action](plan));
}

/** Those of some faults that have something to take hold of on the lab host as it is now. One round trip. */
export async function findFitting(source: FaultSource, some: readonly Fault[]): Promise<Fault[]> {
  const script = some.map((fault, i) => {
    const tests = faultCommands('inject', [fault], source.plan).map(({ done }) => `{ ${done?.cmd ?? 'false'}; }`);
    return `if { ${tests.join(' && ')}; } > /dev/null 2>&1; then :; else echo fits ${i}; fi`;
  });
  const { stdout } = await exec(source, script.join('\n'));
  const fits = new Set(stdout.split('\n'));
  return some.filter((_fault, i) => fits.has(`fits ${i}`));
}

/**
 * Puts faults in, or takes them out, in one round trip; what is so already stays. The script comes by stdin, so that no
 * list of processes shows it, by a shell that keeps no history. False: the lab host is of another shape, and a command
 * failed or had no effect. Throws LabError when it can't be reached; rethrows the abort reason.
 */
export async function applyFaults(
  source: FaultSource,
  action: 'inject' | 'repair',
  some: readonly Fault[],
): Promise<boolean> {
  const { code } = await exec(source, guardedScript(faultCommands(action, some, source.plan)));
  return code === 0;
}

const exec = ({ session, signal }: FaultSource, script: string) =>
  session.exec(['/bin/sh'], { input: `${script}\n`, maxBytes: 256 * 1024, ...(signal ? { signal } : {}) });

// Drawing.

/** How hard a random one is: one fault that one look shows, one that takes more, or several at once. */
export type Level = 1 | 2 | 3;

/** Choices that a learner is given for one fault, the true one among them. */
const CHOICES = 8;

/** The same order for the same seed, on every machine. */
const shuffle = <T>(items: readonly T[], seed: string, keyOf: (item: T) => string): T[] =>
  items
    .map((item) => ({
      item,
      at: createHash('sha256')
        .update(`${seed}\n${keyOf(item)}`)
        .digest('hex'),
    }))
    .sort((a, b) => (a.at < b.at ? -1 : 1))
    .map(({ item }) => item);

/** Two faults can't be in place at once: one says so, or both have one root cause. */
const exclude = (one: Fault, other: Fault): boolean =>
  one.cause === other.cause || one.excludes.includes(other.id) || other.excludes.includes(one.id);

/** The first two of some faults that exclude each other. */
export function findClash(some: readonly Fault[]): [Fault, Fault] | undefined {
  for (const [i, one] of some.entries()) {
    const other = some.slice(i + 1).find((later) => exclude(one, later));
    if (other) return [one, other];
  }
  return undefined;
}

/** A lab is of the kind that a fault shows on: its machine, and the conditions that it was made with. */
export const showsOn = ({ driver, conditions }: Pick<LabSpec, 'driver' | 'conditions'>, fault: Fault): boolean =>
  (fault.machine === undefined || fault.machine === driver) &&
  Object.entries(fault.conditions ?? {}).every(([key, value]) => conditions[key as keyof Conditions] === value);

/**
 * What to try at a level, in the order of a seed: single faults of that level, or at 3 sets of two or three that do not
 * exclude each other. Only of those that are given.
 */
export function drawFaults(some: readonly Fault[], level: Level, seed: string): Fault[][] {
  if (level !== 3) {
    const own = some.filter((fault) => fault.level === level);
    return shuffle(own, seed, ({ id }) => id).map((fault) => [fault]);
  }
  const order = shuffle(some, seed, ({ id }) => id);
  const draws = order.map((first, at) => pickSet([first, ...order.toSpliced(at, 1)], setSize(seed, first)));
  return draws.filter((set) => set.length > 1);
}

const setSize = (seed: string, { id }: Fault): number =>
  2 + ((createHash('sha256').update(`${seed} size ${id}`).digest()[0] ?? 0) % 2);

function pickSet(order: readonly Fault[], size: number): Fault[] {
  const set: Fault[] = [];
  for (const fault of order) if (set.length < size && !set.some((one) => exclude(one, fault))) set.push(fault);
  return set;
}

/** A root cause to choose. */
export interface Choice {
  /** Id of the checker's cause. */
  cause: string;
  title: string;
}

/** The true causes among decoys that break much the same, in the order of a seed. */
export function makeChoices(open: readonly Fault[], faults: readonly Fault[], seed: string): Choice[] {
  const symptoms = new Set(open.flatMap((fault) => fault.symptoms));
  const alike = ({ symptoms: own }: Fault): number => own.filter((id) => symptoms.has(id)).length / own.length;
  const others = shuffle(faults, seed, ({ id }) => id).sort((a, b) => alike(b) - alike(a));
  const distinct = [...open, ...others].filter(
    (fault, at, all) => all.findIndex(({ cause }) => cause === fault.cause) === at,
  );
  const chosen = distinct.slice(0, CHOICES + 2 * (open.length - 1));
  return shuffle(chosen, `${seed} choices`, ({ id }) => id).map(({ cause, title }) => ({ cause, title }));
}

// Answers.

/** What an answer is worth. */
interface JudgedAnswer {
  /** It names each true cause and nothing else. */
  right: boolean;
  /** How many true causes it names, of how many. */
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

const wordsIn = (text: string): string[] => text.toLowerCase().match(/[a-z0-9_]+/g) ?? [];

const negations = new Set(['not', 'no', 'never', 'isn', 'doesn', 'don', 'aren', 'without', 'neither', 'nor']);

/** A word of an entry also means a longer one that begins with it, unless it is so short that many do. */
const means = (word: string, token: string): boolean => (word.length < 3 ? token === word : token.startsWith(word));

/** A word that denies is about what it stands before, with at most one word between: `no server`, not `no answer of the server`. */
const denies = (negation: string, word: string, text: readonly string[]): boolean =>
  text.some((token, at) => token === negation && text.slice(at + 1, at + 3).some((next) => means(word, next)));

/** How many words of an entry a text has, if it has all of them. */
function matched(entry: string, text: readonly string[]): number {
  const words = wordsIn(entry);
  const has = (word: string, at: number): boolean => {
    const next = words[at + 1];
    if (negations.has(word) && next !== undefined) return denies(word, next, text);
    return text.some((token) => means(word, token));
  };
  if (!words.every(has)) return 0;
  // What the text denies and the entry does not is another statement.
  const denied = text.some((token) => negations.has(token)) && !words.some((word) => negations.has(word));
  return denied ? 0 : words.length;
}

/**
 * The causes that a learner's own words may mean, the best match first. One: that is what they mean. Several that match as
 * well as each other, or none: it can't be told.
 */
export function understandCause(text: string, faults: readonly Fault[]): string[] {
  const tokens = wordsIn(text.slice(0, 400));
  const scores = new Map<string, number>();
  for (const { cause, title, words } of faults) {
    const score = Math.max(0, ...[title, ...words].map((entry) => matched(entry, tokens)));
    if (score > (scores.get(cause) ?? 0)) scores.set(cause, score);
  }
  const best = Math.max(0, ...scores.values());
  return [...scores].filter(([, score]) => score === best).map(([cause]) => cause);
}
