import type { ChapterId, Topology } from '@handwired/host';
import { asciiJson } from '../report/escape.ts';
import { type Source, takeFacts } from '../grading/take.ts';
import { topologyOf } from './topology.ts';

/** The topology of a lab host as it is now: one snapshot, no experiment. */
export async function showLab(source: Source, through?: ChapterId): Promise<Topology> {
  const { plan, baseline, record } = source;
  return topologyOf({ facts: await takeFacts(source), baseline, plan, record }, through);
}

/** A topology as JSON: host/topology.ts has its shape. */
export const showJson = (topology: Topology): string => asciiJson(topology);
