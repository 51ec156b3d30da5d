import { createHash } from 'node:crypto';
import type { Conditions, LabSpec } from '@handwired/host';
import type { Fault } from '../fault.ts';
import { faults } from '../registry.ts';

/** How hard a random one is: one fault that one look shows, one that takes more, or several at once. */
export type Level = 1 | 2 | 3;

/** Choices that a learner is given for one fault, the true one among them. */
const CHOICES = 8;

/** The same order for the same seed, on every machine. */
const shuffled = <T>(items: readonly T[], seed: string, keyOf: (item: T) => string): T[] =>
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
export function clashOf(some: readonly Fault[]): [Fault, Fault] | undefined {
  for (const [i, one] of some.entries()) {
    const other = some.slice(i + 1).find((later) => exclude(one, later));
    if (other) return [one, other];
  }
  return undefined;
}

/** A lab is of the kind that a fault shows on: its machine, and the conditions that it was made with. */
export const allows = ({ driver, conditions }: Pick<LabSpec, 'driver' | 'conditions'>, fault: Fault): boolean =>
  (fault.machine === undefined || fault.machine === driver) &&
  Object.entries(fault.conditions ?? {}).every(([key, value]) => conditions[key as keyof Conditions] === value);

/**
 * What to try at a level, in the order of a seed: single faults of that level, or at 3 sets of two or three that do not
 * exclude each other. Only of those that are given.
 */
export function drawsOf(some: readonly Fault[], level: Level, seed: string): Fault[][] {
  if (level !== 3) {
    const own = some.filter((fault) => fault.level === level);
    return shuffled(own, seed, ({ id }) => id).map((fault) => [fault]);
  }
  const order = shuffled(some, seed, ({ id }) => id);
  const draws = order.map((first, at) => setFrom([first, ...order.toSpliced(at, 1)], sizeOf(seed, first)));
  return draws.filter((set) => set.length > 1);
}

const sizeOf = (seed: string, { id }: Fault): number =>
  2 + ((createHash('sha256').update(`${seed} size ${id}`).digest()[0] ?? 0) % 2);

function setFrom(order: readonly Fault[], size: number): Fault[] {
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
export function choicesOf(open: readonly Fault[], seed: string): Choice[] {
  const symptoms = new Set(open.flatMap((fault) => fault.symptoms));
  const alike = ({ symptoms: own }: Fault): number => own.filter((id) => symptoms.has(id)).length / own.length;
  const others = shuffled(faults, seed, ({ id }) => id).sort((a, b) => alike(b) - alike(a));
  const distinct = [...open, ...others].filter(
    (fault, at, all) => all.findIndex(({ cause }) => cause === fault.cause) === at,
  );
  const chosen = distinct.slice(0, CHOICES + 2 * (open.length - 1));
  return shuffled(chosen, `${seed} choices`, ({ id }) => id).map(({ cause, title }) => ({ cause, title }));
}
