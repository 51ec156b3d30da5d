import type { DriverName } from '@handwired/host';
import type { Driver } from '../driver.ts';

/** A driver whose code is loaded at its first call. */
function lazy(name: DriverName, load: () => Promise<Driver>): Driver {
  return {
    name,
    requireMachine: async (spec, work) => (await load()).requireMachine(spec, work),
    up: async (spec, work) => (await load()).up(spec, work),
    status: async (spec, signal) => (await load()).status(spec, signal),
    reset: async (spec, work) => (await load()).reset(spec, work),
    destroy: async (spec, work) => (await load()).destroy(spec, work),
    find: async (signal) => (await load()).find(signal),
  };
}

/** Every driver, by its name. */
export const drivers: Record<DriverName, Driver> = {
  vm: {
    ...lazy('vm', async () => (await import('./vm/index.ts')).vm),
    // Without the rest of the driver, which `lab status` would have to load for it.
    find: async (signal) => (await import('./vm/remains.ts')).find(signal),
  },
  sandbox: lazy('sandbox', async () => (await import('./sandbox/index.ts')).sandbox),
};
