import type { Driver } from '../../driver.ts';
import { status } from './status.ts';

/**
 * A libvirt domain, made through the Pulumi engine. Only `status` is loaded with the driver: the engine's library
 * takes most of a second to load, and nobody who only looks should wait for it.
 */
export const vm: Driver = {
  name: 'vm',
  status,
  up: async (spec, work) => (await import('./up.ts')).up(spec, work),
  reset: async (spec, work) => (await import('./reset.ts')).reset(spec, work),
  destroy: async (spec, work) => (await import('./destroy.ts')).destroy(spec, work),
};
