import { z } from 'zod';
import { Conditions } from './conditions.ts';
import { Plan } from './plan.ts';

/** RFC 1123 label: also the hostname of the lab host and part of every object's name. */
export const labNamePattern = /^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$/;

/** What a lab is made from, and how far that got: `lab.json` in its state folder, written before anything is made. */
export const LabSpec = z.object({
  schemaVersion: z.literal(1),
  name: z.string().regex(labNamePattern),
  driver: z.enum(['vm', 'sandbox']),
  conditions: Conditions,
  plan: Plan,
  cpus: z.number().int().min(1),
  memoryMiB: z.number().int().min(128),
  /** libvirt URI given by the user; absent: the driver chooses. */
  uri: z.string().optional(),
  /** Stock cloud image (path or URL) in place of the built one. */
  image: z.string().optional(),
  /** Random, in the name or description of every object of this lab; what lacks it is never touched. */
  instance: z.string(),
  /** `user@machine` of whoever made it. */
  owner: z.string(),
  /** ISO 8601. */
  createdAt: z.string(),
  /** `creating` until the baseline is stored, `resetting` until it is stored anew, `destroying` from the first removal on. */
  phase: z.enum(['creating', 'ready', 'resetting', 'destroying']),
});
export type LabSpec = z.infer<typeof LabSpec>;
export type DriverName = LabSpec['driver'];
