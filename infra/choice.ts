/** Which driver `--driver auto` takes: what is ready soonest. `lab up`, `setup`, `fleet up` and `doctor` ask here. */
import { open, statfs } from 'node:fs/promises';
import { homedir } from 'node:os';
import { type DriverName, readFreeMemoryMiB, readMessage } from '@handwired/host';
import type { Driver, Work } from './driver.ts';
import { drivers } from './drivers/index.ts';
import { probeAcceleration } from './drivers/vm/acceleration.ts';
import { chooseHypervisor, findPrivateRefusal } from './drivers/vm/hypervisor.ts';
import { images } from './image/index.ts';
import { missingFor } from './packages.ts';
import { missingTools } from './toolchain/index.ts';
import { findRefusal, isRoot } from './user-namespace.ts';

/** Memory that one small VM needs, and disk space that toolchain, image and build need together. */
const memoryMiB = 768;
const diskMiB = 4096;

/** What this machine can run, for `judgeChoice`. */
export interface Abilities {
  /** Why it can't run a lab host of this kind; undefined when it can. */
  obstacles: Record<DriverName, string | undefined>;
  /** Why VMs would be emulated; undefined when KVM boots here. */
  emulated: string | undefined;
  /** What a VM still needs that takes minutes to get; empty when all of it is here. */
  missing: readonly string[];
}

/** A driver, and in one line why it is taken and how to get the other one. */
export interface Choice {
  name: DriverName;
  why: string;
}

/**
 * Chooses the driver for a new lab, and says in one line why. `auto` takes what is ready soonest: a VM where KVM boots and
 * all is set up, else a sandbox, else an emulated VM.
 * Where neither can run it is a sandbox, whose driver then says what is missing.
 */
export async function chooseDriver(wanted: 'auto' | DriverName, work: Work): Promise<{ driver: Driver; why: string }> {
  if (wanted !== 'auto') return { driver: drivers[wanted], why: 'as asked for' };
  const { name, why } = judgeChoice(await findAbilities(work.signal));
  return { driver: drivers[name], why };
}

/** The choice by what a machine can run. */
export function judgeChoice({ obstacles, emulated, missing }: Abilities): Choice {
  if (obstacles.vm !== undefined) return { name: 'sandbox', why: `no VM can run here: ${obstacles.vm}` };
  if (obstacles.sandbox !== undefined) {
    const how = emulated === undefined ? 'VMs can run here' : `it is emulated, which is slow (${emulated})`;
    return { name: 'vm', why: `${how}; no sandbox can run here: ${obstacles.sandbox}` };
  }
  if (emulated !== undefined) {
    const why = `it is up in a second; a VM would be emulated here and take half a minute or more (${emulated})`;
    return { name: 'sandbox', why: `${why}. For a VM: lab up --driver vm` };
  }
  if (missing.length === 0) return { name: 'vm', why: 'KVM boots here. For a sandbox: lab up --driver sandbox' };
  const why = `it is up in a second; a VM needs what takes minutes to get (${missing.join(', ')})`;
  return { name: 'sandbox', why: `${why}. For a VM: lab setup vm, then lab up --driver vm` };
}

async function findAbilities(signal: AbortSignal): Promise<Abilities> {
  const [vm, acceleration] = await Promise.all([findObstacle('vm', signal), probeAcceleration({ signal })]);
  const emulated = acceleration.accelerator === 'kvm' || acceleration.untried ? undefined : acceleration.why;
  // Asked for only where it decides: apt may take a second to say what it has.
  const missing = vm === undefined && emulated === undefined ? await findMissing() : [];
  return { obstacles: { vm, sandbox: await findObstacle('sandbox', signal) }, emulated, missing };
}

async function findMissing(): Promise<string[]> {
  const packages = (await missingFor('vm')).map(findName);
  return [...packages, ...(await missingTools()), ...((await images.list()).length === 0 ? ['an image'] : [])];
}

/** The first reason why this machine can't run lab hosts of this kind; undefined when it can. */
export async function findObstacle(driver: DriverName, signal: AbortSignal): Promise<string | undefined> {
  if (driver === 'sandbox') return (await findRefusal(signal))?.what;
  if (process.arch !== 'x64' && process.arch !== 'arm64') return `no toolchain is made for ${process.arch}`;
  const missing = await missingFor('vm');
  if (missing.length > 0 && !isRoot())
    return `not root, and these packages are missing: ${missing.map(findName).join(' ')}`;
  const { kind } = await chooseHypervisor(undefined, signal);
  const refusal = kind === 'private' ? ((await findPrivateRefusal(signal))?.what ?? (await refuseTap())) : undefined;
  if (refusal !== undefined) return refusal;
  const memory = await readFreeMemoryMiB();
  if (memory < memoryMiB) return `${memory} MiB of memory are free, a VM takes ${memoryMiB}`;
  const { bavail, bsize } = await statfs(homedir()).catch(() => ({ bavail: 0, bsize: 0 }));
  const disk = Math.floor((bavail * bsize) / 2 ** 20);
  return disk < diskMiB ? `${disk} MiB of disk are free under ${homedir()}, a VM takes ${diskMiB}` : undefined;
}

/** Why QEMU can't have a tap device, as where a container does not get the machine's. */
export async function refuseTap(): Promise<string | undefined> {
  try {
    await (await open('/dev/net/tun', 'r+')).close();
    return undefined;
  } catch (error) {
    return `no tap devices (${readMessage(error)})`;
  }
}

const findName = ({ name }: { name: string }): string => name;
