import type { Case } from './checks/check.ts';
import { type Owner, ownerOf } from './checks/owner.ts';
import { type Difference, diffFacts } from './facts/diff.ts';
import type { Facts } from './facts/facts.ts';

/** A difference between two snapshots of one lab host, and whose it is. */
export interface Change extends Difference {
  owner: Owner;
}

/** What has changed since an earlier snapshot. */
export const changesOf = (before: Facts, { facts, plan, record }: Pick<Case, 'facts' | 'plan' | 'record'>): Change[] =>
  diffFacts(before, facts).map((found) => ({ ...found, owner: ownerOf(found, plan, record) }));
