import { readdir, readlink, stat } from 'node:fs/promises';
import { labNamePattern, readWords, stateDir } from '@handwired/host';
import { z } from 'zod';

/** Whose something is that outlives the command that made it. */
export const Owner = z.object({
  /** Empty: of all labs of the state folder. */
  lab: z.string(),
  /** The state folder that has, or had, the lab. */
  state: z.string().startsWith('/'),
  /** From where that path was seen. */
  view: z.string(),
});
export type Owner = z.infer<typeof Owner>;

/** Whose the things are that this process makes for a lab. */
export const describeOwner = async (lab: string): Promise<Owner> => ({
  lab,
  state: stateDir(),
  view: await readView(),
});

/** The variables by which a process says whose it is. */
export async function renderOwner(lab: string): Promise<Record<string, string>> {
  const { state, view } = await describeOwner(lab);
  return { HANDWIRED_LAB: lab, HANDWIRED_STATE: state, HANDWIRED_VIEW: view };
}

/** Whose a process says it is; undefined when it says nothing, or when we may not read it. */
export async function readOwner(pid: number): Promise<Owner | undefined> {
  const words = await readWords(pid, 'environ');
  const value = (name: string): string =>
    words.find((word) => word.startsWith(`${name}=`))?.slice(name.length + 1) ?? '';
  const owner = { lab: value('HANDWIRED_LAB'), state: value('HANDWIRED_STATE'), view: value('HANDWIRED_VIEW') };
  return labNamePattern.test(owner.lab) && owner.state.startsWith('/') ? owner : undefined;
}

/** What a path means to this process: `mnt:[NUMBER] DEVICE:INODE` of its mount namespace and its root folder. */
async function readView(): Promise<string> {
  const [namespace, { dev, ino }] = await Promise.all([readlink('/proc/self/ns/mnt'), stat('/')]);
  return `${namespace} ${dev}:${ino}`;
}

/**
 * Those whose state folder can be looked at from here, so that we can tell what became of it. It can't from outside the
 * container or chroot in which the lab was made, nor while others are in the mount namespace in which it was.
 */
export async function keepVisible<T extends { owner: Owner }>(found: readonly T[]): Promise<T[]> {
  const own = await readView();
  if (found.every(({ owner }) => owner.view === own)) return [...found];
  const [, ownRoot] = own.split(' ');
  const alive = await listMountNamespaces();
  return found.filter(({ owner: { view } }) => {
    const [namespace = '', root] = view.split(' ');
    return view === own || (root === ownRoot && !alive.has(namespace));
  });
}

/** The mount namespaces that processes are in. Those of other users' processes can't be read by a plain user. */
async function listMountNamespaces(): Promise<Set<string>> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  return new Set(await Promise.all(pids.map((pid) => readlink(`/proc/${pid}/ns/mnt`).catch(() => ''))));
}
