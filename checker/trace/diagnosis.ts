import { world } from '@handwired/host';
import { explainedProbe, type ProbeStory } from '../diagnosis/diagnose.ts';
import { Evidence } from '../probes/evidence.ts';
import { type Probe, type ProbeId, probes } from '../probes/list.ts';
import { nothing, type Source } from '../take.ts';
import type { Errand } from './shape.ts';
import { isArp } from './steps.ts';
import type { Told } from './why.ts';

/** What the checker says of a path that the trace found broken, if it is one that it knows. */
export function diagnosed({ errand, seen, facts, plan }: Told, { baseline, record }: Source): ProbeStory | undefined {
  const probe = (Object.keys(probes) as ProbeId[]).find((id) => isSame(probes[id](plan), errand));
  if (probe === undefined || seen.result?.ok === true) return undefined;
  const sights = Object.entries(seen.spaces).flatMap(([space, { sights: all }]) =>
    all.map((sight) => ({ ...sight, in: space, count: 1, probe: isArp(sight) ? null : probe })),
  );
  const evidence = Evidence.safeParse({
    ...nothing,
    results: { [probe]: { ok: false, stage: 'connect', error: seen.result?.error ?? 'no answer', ms: 0 } },
    seen: sights.filter(({ what }) => what !== 'redirect' && what !== 'time-exceeded'),
  });
  if (!evidence.success) return undefined;
  return explainedProbe({ facts, evidence: evidence.data, baseline, plan, record }, probe);
}

const internet = new Set<string>([world.site.address, ...world.resolvers]);
const both = (...addresses: string[]): boolean => addresses.every((one) => internet.has(one));

/** Is it the experiment's own packet? */
function isSame(probe: Probe, errand: Errand): boolean {
  if (!('to' in probe) || probe.in !== errand.in) return false;
  // To the checker one address of the internet is as good as another.
  if (probe.kind === 'icmp') return errand.kind === 'icmp' && (probe.to === errand.to || both(probe.to, errand.to));
  return (
    probe.to === errand.to &&
    errand.kind === 'tcp' &&
    probe.port === errand.port &&
    (probe.from ?? null) === errand.from
  );
}
