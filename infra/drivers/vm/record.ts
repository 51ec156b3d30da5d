import { readJson, writeAtomic } from '@handwired/host';
import { z } from 'zod';
import { filesOf } from './names.ts';

/** What the driver must know of a lab before it asks libvirt: written before anything is made in libvirt. */
export const VmRecord = z.object({
  schemaVersion: z.literal(1),
  hypervisor: z.object({ kind: z.enum(['given', 'system', 'private']), uri: z.string() }),
  /** The lab's management network, CIDR. */
  subnet: z.string(),
  /** The hypervisor's end of it. */
  gateway: z.string(),
  /** The lab host's end of it. */
  address: z.string(),
  accelerator: z.enum(['kvm', 'tcg']),
  /** Hash of the image that it was made from. */
  image: z.string(),
  baseFormat: z.string(),
  /** `made`: the engine has finished once, so that everything is there and in its state. */
  stage: z.enum(['making', 'made']),
});
export type VmRecord = z.infer<typeof VmRecord>;

/** A record that can't be read is as none: everything is found again by the instance id. */
export const loadRecord = (lab: string): Promise<VmRecord | undefined> =>
  readJson(filesOf(lab).record, VmRecord).catch(() => undefined);

export const saveRecord = (lab: string, record: VmRecord): Promise<void> =>
  writeAtomic(filesOf(lab).record, `${JSON.stringify(record, null, 2)}\n`);
