import { z } from 'zod';

/** What a lab host can be made with before its baseline is taken. Right builds pass under all of them. */
export const Conditions = z.object({
  'forward-policy': z.enum(['accept', 'drop']).default('accept'),
  'bridge-nf': z.enum(['0', '1']).default('0'),
  resolver: z.enum(['stub', 'file']).default('stub'),
  'ip-forward': z.enum(['0', '1']).default('0'),
});
export type Conditions = z.infer<typeof Conditions>;

/** Every condition's key with the values it takes, the default first. */
export const conditionValues: Record<keyof Conditions, readonly string[]> = {
  'forward-policy': ['accept', 'drop'],
  'bridge-nf': ['0', '1'],
  resolver: ['stub', 'file'],
  'ip-forward': ['0', '1'],
};
