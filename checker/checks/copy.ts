import { type Plan, world } from '@handwired/host';
import type { Condition } from '../probes/copies.ts';
import type { Copy, Sight } from '../probes/evidence.ts';
import type { ProbeId } from '../probes/list.ts';
import type { Case } from './check.ts';
import { first, outcomeOf, resultOf } from './trace.ts';

type Named = Pick<Condition, 'forwardPolicy' | 'bridgeNf'>;

export const copyOf = (the: Case, { forwardPolicy, bridgeNf }: Named): Copy | undefined =>
  the.evidence.copies.find(
    ({ condition }) => condition.forwardPolicy === forwardPolicy && condition.bridgeNf === bridgeNf,
  );

export const nameOf = ({ forwardPolicy, bridgeNf }: Named): string =>
  `FORWARD ${forwardPolicy.toUpperCase()} with bridge-nf ${bridgeNf}`;

/** Why the copy under a condition proves nothing; undefined: it does. */
export function worthless(the: Case, condition: Condition, paths: readonly ProbeId[]): string | undefined {
  const copy = copyOf(the, condition);
  const where = `the copy of the lab host under ${nameOf(condition)}`;
  if (!copy) return `${where} was not made`;
  if (copy.error !== null) return `${where} can't be made: ${copy.error}`;
  if (copy.differences.length > 0) return `${where} is not like the original: ${copy.differences[0] ?? ''}`;
  const lacking = paths.find((path) => copy.results[path] === undefined);
  if (lacking !== undefined) return `${where} has no result for ${lacking}`;
  if (copy.results['world>site']?.ok !== true) return `the world of ${where} does not answer even itself`;
  if (!condition.own) return undefined;
  const unlike = paths.find((path) => arrived(copy, path, the.plan) !== resultOf(the.evidence, path).ok);
  return unlike === undefined
    ? undefined
    : `${where}, which is its own, shows something else than the lab host itself: ${unlike} ${outcomeOf(copy.results[unlike] ?? resultOf(the.evidence, unlike))}`;
}

/** Was a path's packet answered in a copy, by whom it was for? What a program of the lab host takes is relayed to it. */
export function arrived(copy: Copy, path: ProbeId, plan: Plan): boolean {
  const result = copy.results[path];
  if (result?.ok !== true) return false;
  const seen = (where: string, ...what: Sight['what'][]): boolean =>
    copy.seen.some((sight) => sight.probe === path && sight.in === where && what.includes(sight.what));
  const relayed = copy.seen.some((sight) => sight.probe === path && sight.device === 'relay');
  if (path === 'ct1>ct2' || path === 'ct2>ct1') return seen(plan[path === 'ct1>ct2' ? 'ct2' : 'ct1'].name, 'echo');
  if (path.endsWith('lookup')) {
    const right = result.answers?.every((answer) => answer === world.site.address) === true;
    return right && (relayed || seen('world', 'query'));
  }
  if (path.startsWith('outside>') || path.startsWith('host>')) return relayed || seen(plan.ct1.name, 'request');
  return seen('world', 'echo', 'request');
}

/** Where a packet of a path ends: the first place that did not see it, or its answer, again. */
export function endOf(copy: Copy, path: ProbeId, plan: Plan): string {
  const sights = copy.seen.filter((sight) => sight.probe === path && sight.device !== 'relay');
  const [out, back] = [sights.filter(({ what }) => first.has(what)), sights.filter(({ what }) => !first.has(what))];
  const stopped = (list: Sight[]): boolean =>
    list.some((sight) => sight.in === 'root' && sight.way === 'in') &&
    !list.some((sight) => sight.in === 'root' && sight.way === 'out');
  const drops = copy.condition.forwardPolicy === 'drop';
  if (stopped(out)) return drops ? 'ends at FORWARD' : `ends on the lab host, after ${stationOf(out, plan)}`;
  if (stopped(back))
    return drops ? 'is answered, and the answer ends at FORWARD' : 'is answered, and the answer is lost';
  const last = stationOf(out, plan);
  return last === '' ? 'is not even sent' : `was last seen at ${last}`;
}

function stationOf(sights: Sight[], plan: Plan): string {
  const last = sights.at(-1);
  const place = { root: 'the lab host', world: 'the world' }[last?.in ?? ''] ?? last?.in;
  return last ? `${last.device} of ${place ?? plan.ct1.name}` : '';
}
