import { processesWith } from './hypervisor/leftovers.ts';
import { endProcess } from './identity.ts';

/** Environment variable, with the lab's instance id, of every engine process and its plugins. */
export const engineMark = 'HANDWIRED_ENGINE';

/** Ends the engine and plugins of a command that was killed: they would go on changing things behind our back. */
export async function endLeftoverEngines(instance: string): Promise<void> {
  for (const leftover of await processesWith(engineMark, instance)) await endProcess(leftover, 2000);
}
