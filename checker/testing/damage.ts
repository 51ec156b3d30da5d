import { checks } from '../checks/registry.ts';
import { explained } from '../diagnosis/diagnose.ts';
import type { Net } from '../facts/facts.ts';
import type { Link } from '../facts/iproute.ts';
import { type Outcome, runChecks } from '../judge/run.ts';
import type { Case } from '../queries/check.ts';
import { linkOf, netnsOf } from '../queries/links.ts';
import { network } from './fixtures.ts';

export const judged = (the: Case): Outcome[] => explained(runChecks(checks, the), the);
export const failed = (the: Case): Outcome[] =>
  judged(the).filter(({ verdict, check }) => verdict === 'fail' && network.includes(check.chapter));
export const causesOf = (the: Case): string[] => [
  ...new Set(failed(the).map(({ diagnosis }) => diagnosis?.cause ?? 'none')),
];

export const inside = (the: Case, name: string): Net => netnsOf(the.facts, name)?.net as Net;
export const link = (net: Net, name: string): Link => linkOf(net.links, name) as Link;
export const chainOf = (the: Case, table: string, chain: string) => {
  const found = the.facts.here.iptables.find(
    ({ name, variant, family }) => name === table && variant === 'nft' && family === 'ip',
  );
  return found?.chains.find(({ name }) => name === chain) as { policy: string | null; rules: string[] };
};

/** Packets of a probe that get no further than the named devices, out of which they were seen. */
export function endAt(the: Case, probe: string, devices: string[], more: object = {}): void {
  the.evidence.results[probe] = { ok: false, stage: 'connect', error: 'no answer', ms: 700, ...more };
  const going = ['echo', 'syn', 'query', 'request'];
  the.evidence.seen = the.evidence.seen.filter(
    (sight) =>
      sight.probe !== probe ||
      (going.includes(sight.what) && devices.includes(`${sight.in} ${sight.device} ${sight.way}`)),
  );
}
