import { readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { hasFolder, quote, readErrno, stateDir } from '@handwired/host';
import type { Remains } from './driver.ts';
import { drivers } from './drivers/index.ts';

/**
 * What is left of labs whose state is lost: things that carry a lab's mark, and no state folder has that lab. A lab that
 * is well in another state folder is no orphan. Throws only an abort's reason.
 */
export async function findOrphans(signal: AbortSignal): Promise<Remains[]> {
  const first = await findWithoutState(signal);
  if (first.length === 0) return [];
  // A lab that was destroyed while we looked is no orphan either: its things are gone at the second look.
  const again = await findWithoutState(signal);
  return again.filter((one) => first.some((other) => other.instance === one.instance && other.lab === one.lab));
}

/** What is left of a lost lab, as a user reads it, and the command that removes it. */
export interface OrphanReport {
  /** Null: a private hypervisor without any lab. */
  name: string | null;
  driver: Remains['driver'];
  detail: string;
  next: string;
}

/** Describes an orphan. A lab of its name that is well is not what the command removes. */
export async function describeOrphan(
  { lab, driver, state, list }: Remains,
  signal: AbortSignal,
): Promise<OrphanReport> {
  const isElsewhere = state !== undefined && state !== stateDir();
  const isTaken = lab === undefined || (await hasFolder(lab).catch(() => true));
  const at = isElsewhere && isTaken ? `XDG_STATE_HOME=${quote(dirname(state))} ` : '';
  const where = state === undefined ? 'its state folder is not known' : `its state folder ${state} has lost it`;
  const next = `${at}lab destroy ${lab ?? '--all'}`;
  return { name: lab ?? null, driver, detail: `${(await list(signal)).join(', ')}; ${where}`, next };
}

/** What every driver finds, also of labs that are well. A driver that can't look finds nothing. */
export async function findRemains(signal: AbortSignal): Promise<Remains[]> {
  const found = await Promise.all(Object.values(drivers).map((driver) => driver.find(signal).catch(() => [])));
  signal.throwIfAborted();
  return found.flat();
}

async function findWithoutState(signal: AbortSignal): Promise<Remains[]> {
  const all = await findRemains(signal);
  const held = await Promise.all(all.map(isHeld));
  return all.filter((_, index) => held[index] !== true);
}

/** Whether a state folder has the lab: the one in its mark, this user's, or one of another user. */
async function isHeld({ lab, instance, state, isBound, user }: Remains): Promise<boolean> {
  if (user !== undefined) return true;
  if (lab === undefined) return false;
  const places = new Set(isBound ? [] : [stateDir()]);
  if (state !== undefined) places.add(state);
  const held = await Promise.all([...places].map((place) => hasLab(join(place, 'labs', lab), instance)));
  return held.includes(true);
}

/** Whether a lab's folder is that of this instance. One that we may not read, or whose spec is gone, may be. */
async function hasLab(folder: string, instance: string): Promise<boolean> {
  try {
    await stat(folder);
  } catch (error) {
    return !['ENOENT', 'ENOTDIR'].includes(readErrno(error) ?? '');
  }
  const files = ['lab.json', 'lab.spare.json'].map((file) => readInstance(join(folder, file)));
  const known = (await Promise.all(files)).filter((each) => each !== undefined);
  return known.length === 0 || known.includes(instance);
}

async function readInstance(file: string): Promise<string | undefined> {
  try {
    const { instance } = JSON.parse(await readFile(file, 'utf8')) as { instance?: unknown };
    return typeof instance === 'string' ? instance : undefined;
  } catch {
    return undefined;
  }
}
