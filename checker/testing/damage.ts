import { explainFailures } from '../diagnosis/diagnose.ts';
import type { Net } from '../facts/facts.ts';
import type { Link } from '../facts/iproute.ts';
import { type Outcome, runChecks } from '../judge/run.ts';
import type { Case } from '../queries/check.ts';
import { findLink, findNetns } from '../queries/links.ts';
import { checks, network } from './fixtures.ts';

export const judged = (lab: Case): Outcome[] => explainFailures(runChecks(checks, lab), lab);
export const failed = (lab: Case): Outcome[] =>
  judged(lab).filter(({ verdict, check }) => verdict === 'fail' && network.includes(check.chapter));
export const listNamedCauses = (lab: Case): string[] => [
  ...new Set(failed(lab).map(({ diagnosis }) => diagnosis?.cause ?? 'none')),
];

export const inside = (lab: Case, name: string): Net => findNetns(lab.facts, name)?.net as Net;
export const link = (net: Net, name: string): Link => findLink(net.links, name) as Link;
export const findChain = (lab: Case, table: string, chain: string) => {
  const found = lab.facts.here.iptables.find(
    ({ name, variant, family }) => name === table && variant === 'nft' && family === 'ip',
  );
  return found?.chains.find(({ name }) => name === chain) as { policy: string | null; rules: string[] };
};

/** Packets of a probe that get no further than the named devices, out of which they were seen. */
export function endAt(lab: Case, probe: string, devices: string[], more: object = {}): void {
  lab.evidence.results[probe] = { ok: false, stage: 'connect', error: 'no answer', ms: 700, ...more };
  const going = ['echo', 'syn', 'query', 'request'];
  lab.evidence.seen = lab.evidence.seen.filter(
    (sight) =>
      sight.probe !== probe ||
      (going.includes(sight.what) && devices.includes(`${sight.in} ${sight.device} ${sight.way}`)),
  );
}
