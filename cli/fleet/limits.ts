import { availableParallelism } from 'node:os';
import { type DriverName, readFreeMemoryMiB } from '@handwired/host';

/** MiB that one lab host and the processes beside it take while it is brought up. */
const cost: Record<DriverName, (memoryMiB: number) => number> = {
  vm: (memoryMiB) => memoryMiB + 128,
  sandbox: () => 96,
};

/** Labs that a core can bring up at once: a booting VM keeps a core busy, a sandbox mostly waits. */
const perCore: Record<DriverName, number> = { vm: 1, sandbox: 2 };

/** How many labs to bring up at the same time, at least one: as many as memory (MiB) and cores allow. */
export function upLimit(driver: DriverName, memoryMiB: number, machine: { cores: number; freeMiB: number }): number {
  const byMemory = Math.floor((machine.freeMiB * 0.8) / cost[driver](memoryMiB));
  return Math.max(1, Math.min(byMemory, machine.cores * perCore[driver]));
}

/** Grading waits for the network most of the time; a session costs a few MiB. */
export const gradeLimit = (cores: number): number => cores * 4;

/** Cores that this process may use, and free memory. */
export async function machineNow(): Promise<{ cores: number; freeMiB: number }> {
  return { cores: availableParallelism(), freeMiB: await readFreeMemoryMiB() };
}
