import { setTimeout as wait } from 'node:timers/promises';
import type { OpenSeat, Plan } from '@handwired/host';
import { findBegun, findNames } from '../checks/registry.ts';
import { Evidence } from '../evidence/evidence.ts';
import type { CopiesWanted, ProbeId } from '../evidence/probes.ts';
import { runProbes } from '../evidence/run.ts';
import type { Facts } from '../facts/facts.ts';
import { observe } from '../facts/observe.ts';
import { unsteady } from '../judge/integrity.ts';
import { canSettle } from '../queries/leftovers.ts';
import { type LabRecord, noteBegun } from '../record.ts';

/** A lab host, and what is known of it from before. */
export interface Source {
  seat: OpenSeat;
  plan: Plan;
  /** Facts of the lab host as it was handed over. */
  baseline: Facts;
  /** Brought up to date in place: the caller saves it afterwards. */
  record: LabRecord;
  signal?: AbortSignal | undefined;
}

/** How long leftovers that can go by themselves are waited for. */
const SETTLE_MS = 3000;

/** One snapshot, in one round trip; what it shows begun is noted in the record. */
export async function takeFacts({ seat, plan, baseline, record, signal }: Source): Promise<Facts> {
  const facts = await observe(seat, { baseline, ...(signal ? { signal } : {}) });
  noteBegun(record, findBegun({ facts, baseline, plan, record }), findNames(facts, baseline));
  return facts;
}

/** The facts again, as long as something in them can still go by itself. */
export async function settled(first: Facts, { seat, baseline, signal }: Source): Promise<Facts> {
  const end = performance.now() + SETTLE_MS;
  let facts = first;
  while ((canSettle(facts, baseline) || unsteady(facts, null) !== null) && performance.now() < end) {
    await wait(100, undefined, signal ? { signal } : {});
    facts = await observe(seat, { baseline, ...(signal ? { signal } : {}) });
  }
  return facts;
}

/** What some probes yield on the lab host, and some in copies of it, in one round trip; none wanted: none made. */
export function takeEvidence(
  wanted: ReadonlySet<ProbeId>,
  { seat, plan, baseline, signal }: Source,
  copies?: CopiesWanted,
): Promise<Evidence> {
  return wanted.size === 0 ? Promise.resolve(nothing) : runProbes(seat, { plan, baseline, wanted, copies, signal });
}

export const nothing = Evidence.parse({ results: {}, seen: [], over: false, drops: {}, lost: 0 });
