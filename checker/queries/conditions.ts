import { type Plan, world } from '@handwired/host';
import type { Copy, Evidence, Sight } from '../evidence/evidence.ts';
import type { Condition, CopiesWanted, ProbeId } from '../evidence/probes.ts';
import type { Facts } from '../facts/facts.ts';
import type { Table } from '../facts/firewall.ts';
import { type Case, type ChapterCheck, type Check, fail, type Hint, type Judgement, pass } from './check.ts';
import { joinWords } from './links.ts';
import { openingPackets, describeOutcome, findResult, isBlind } from './sights.ts';

type Variant = Table['variant'];

/** The path under /proc/sys of the setting that sends bridged packets through iptables. */
export const bridgeNfSetting = 'net/bridge/bridge-nf-call-iptables';

/**
 * The conditions under which a lab must work, and the lab host's own condition, which is the control. Pure.
 * FORWARD ACCEPT is always demanded. FORWARD DROP is demanded if the lab host was handed over with it, or if the
 * learner added an accepting rule to iptables' FORWARD: such rules must be enough, and under ACCEPT nobody has to write
 * any. bridge-nf 1 is demanded unless the kernel has no br_netfilter.
 */
export function listConditions(facts: Facts, baseline: Facts): { demanded: Condition[]; own: Condition } {
  const drop = (['nft', 'legacy'] as const).filter(
    (variant) => readPolicy(baseline, variant) === 'DROP' || accepts(facts, baseline, variant),
  );
  const dropsNow = readPolicy(facts, 'nft') === 'DROP' || readPolicy(facts, 'legacy') === 'DROP';
  const forwardPolicy = dropsNow ? 'drop' : 'accept';
  const bridgeNf = facts.here.sysctls[bridgeNfSetting] === '1' ? '1' : '0';
  const values = facts.here.sysctls[bridgeNfSetting] === undefined ? (['0'] as const) : (['0', '1'] as const);
  const policies = drop.length > 0 ? (['accept', 'drop'] as const) : (['accept'] as const);
  const isOwn = (one: Omit<Condition, 'own' | 'drop'>) =>
    one.forwardPolicy === forwardPolicy && one.bridgeNf === bridgeNf;
  const demanded = policies.flatMap((policy) =>
    values.map((value): Condition => {
      const condition = { forwardPolicy: policy, bridgeNf: value };
      return { ...condition, own: isOwn(condition), drop: policy === 'drop' ? drop : [] };
    }),
  );
  return { demanded, own: demanded.find(isOwn) ?? { forwardPolicy, bridgeNf, own: true, drop: [] } };
}

const findFilter = (facts: Facts, variant: Variant): Table | undefined =>
  facts.here.iptables.find((table) => table.family === 'ip' && table.variant === variant && table.name === 'filter');

const readPolicy = (facts: Facts, variant: Variant): string | null | undefined =>
  findFilter(facts, variant)?.chains.find(({ name }) => name === 'FORWARD')?.policy;

/** Did the learner add an accepting rule to FORWARD, or to a chain that FORWARD leads to? */
function accepts(facts: Facts, baseline: Facts, variant: Variant): boolean {
  const rulesOf = (table: Table | undefined, chain: string): string[] =>
    table?.chains.find(({ name }) => name === chain)?.rules ?? [];
  const [now, before] = [findFilter(facts, variant), findFilter(baseline, variant)];
  const reached = ['FORWARD'];
  for (const chain of reached) {
    const given = new Set(rulesOf(before, chain));
    for (const rule of rulesOf(now, chain)) {
      const target = findTarget(rule);
      if (target === 'ACCEPT' && !given.has(rule)) return true;
      if (target !== undefined && !reached.includes(target) && now?.chains.some(({ name }) => name === target)) {
        reached.push(target);
      }
    }
  }
  return false;
}

/** The target of a rule of iptables-save: the word after -j or -g, outside quoted texts. */
function findTarget(rule: string): string | undefined {
  const words = rule.match(/"(?:\\.|[^"\\])*"|\S+/g) ?? [];
  return words[words.findIndex((word) => word === '-j' || word === '-g') + 1 || words.length];
}

type Named = Pick<Condition, 'forwardPolicy' | 'bridgeNf'>;

const findCopy = (lab: Case, { forwardPolicy, bridgeNf }: Named): Copy | undefined =>
  lab.evidence.copies.find(
    ({ condition }) => condition.forwardPolicy === forwardPolicy && condition.bridgeNf === bridgeNf,
  );

/** A condition for people: `FORWARD DROP with bridge-nf 1`. */
export const renderCondition = ({ forwardPolicy, bridgeNf }: Named): string =>
  `FORWARD ${forwardPolicy.toUpperCase()} with bridge-nf ${bridgeNf}`;

/** Why the copy under a condition proves nothing; undefined: it is valid. */
function findCopyTrouble(lab: Case, condition: Condition, paths: readonly ProbeId[]): string | undefined {
  const copy = findCopy(lab, condition);
  const where = `the copy of the lab host under ${renderCondition(condition)}`;
  if (!copy) return `${where} was not made`;
  if (copy.error !== null) return `${where} can't be made: ${copy.error}`;
  if (copy.differences.length > 0) return `${where} is not like the original: ${copy.differences[0] ?? ''}`;
  const lacking = paths.find((path) => copy.results[path] === undefined);
  if (lacking !== undefined) return `${where} has no result for ${lacking}`;
  if (copy.results['world>site']?.ok !== true) return `the world of ${where} does not answer even itself`;
  const unseen = paths.some((path) => copy.results[path]?.ok === true && !arrived(copy, path, lab.plan));
  if (unseen && isBlind(copy)) return `the capture in ${where} lost packets`;
  if (!condition.own) return undefined;
  const unlike = paths.find((path) => arrived(copy, path, lab.plan) !== findResult(lab.evidence, path).ok);
  return unlike === undefined
    ? undefined
    : `${where}, which is its own, shows something else than the lab host itself: ${unlike} ${describeOutcome(copy.results[unlike] ?? findResult(lab.evidence, unlike))}`;
}

/** Did the right receiver answer a path's packet in a copy? Requests to the lab host's programs arrive by a relay. */
function arrived(copy: Copy, path: ProbeId, plan: Plan): boolean {
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

/** The packets of a path in a copy: those that ask, those that answer, and which of them the lab host did not let on. */
function findEnd(copy: Copy, path: string): { out: Sight[]; stopped: 'out' | 'back' | undefined } {
  const sights = copy.seen.filter((sight) => sight.probe === path && sight.device !== 'relay');
  const [out, back] = [
    sights.filter(({ what }) => openingPackets.has(what)),
    sights.filter(({ what }) => !openingPackets.has(what)),
  ];
  const isStopped = (list: Sight[]): boolean =>
    list.some((sight) => sight.in === 'root' && sight.way === 'in') &&
    !list.some((sight) => sight.in === 'root' && sight.way === 'out');
  return { out, stopped: isStopped(out) ? 'out' : isStopped(back) ? 'back' : undefined };
}

/**
 * Is an answer missing in a copy, though the lab host let on whatever was seen? It may have come too late: copies are
 * made and tried all at once.
 */
export const mayBeLate = ({ copies }: Evidence): boolean =>
  copies.some((copy) =>
    Object.entries(copy.results).some(
      ([path, { ok, errno }]) => !ok && (errno ?? null) === null && findEnd(copy, path).stopped === undefined,
    ),
  );

/** Describes where a packet of a path, or its answer, was lost. */
function describeEnd(copy: Copy, path: ProbeId, plan: Plan): string {
  const { out, stopped } = findEnd(copy, path);
  const drops = copy.condition.forwardPolicy === 'drop';
  if (stopped === 'out') return drops ? 'ends at FORWARD' : `ends on the lab host, after ${renderStation(out, plan)}`;
  if (stopped === 'back')
    return drops ? 'is answered, and the answer ends at FORWARD' : 'is answered, and the answer is lost';
  const last = renderStation(out, plan);
  return last === '' ? 'is not even sent' : `was last seen at ${last}`;
}

function renderStation(sights: Sight[], plan: Plan): string {
  const last = sights.at(-1);
  const place = { root: 'the lab host', world: 'the world' }[last?.in ?? ''] ?? last?.in;
  return last ? `${last.device} of ${place ?? plan.ct1.name}` : '';
}

/** The conditions and experiments that these checks want tried in copies; undefined: none. */
export function chooseCopies(
  checks: readonly Check[],
  { facts, baseline }: Pick<Case, 'facts' | 'baseline'>,
): CopiesWanted | undefined {
  const probes = [...new Set(checks.flatMap(({ copies }) => copies ?? []))];
  if (probes.length === 0) return undefined;
  const { demanded, own } = listConditions(facts, baseline);
  const conditions = demanded.includes(own) ? demanded : [...demanded, own];
  return { conditions, probes };
}

/** A chapter's paths that must also hold under conditions that the learner did not choose. */
export interface UnderConditions {
  /** `CHAPTER.conditions` */
  id: string;
  /** A sentence that is true when the check passes. */
  title: string;
  needs: string[];
  /** What must work: the beginning of `expected`. */
  what: string;
  /** The experiments that are made in each copy, with a name for each. */
  paths: Partial<Record<ProbeId, (plan: Plan) => string>>;
  /** The hint for a failure under DROP. `tool` is the variant of iptables that drops. */
  hint: (plan: Plan, tool: string) => Omit<Hint, 'where'>;
}

/**
 * A check that tries a chapter's paths again, in disposable copies of the lab host's namespaces (agent/copy.py). The
 * verdict is `error` when a copy is not exact, or when the copy under the lab host's own condition gives other results
 * than the lab host.
 */
export function checkUnderConditions(under: UnderConditions): ChapterCheck {
  const { id, title, needs, paths } = under;
  const probes = Object.keys(paths) as ProbeId[];
  return {
    id,
    title: () => title,
    needs,
    probes,
    copies: probes,
    sources: ['root iptables'],
    judge: (lab) => judgeUnderConditions(lab, under),
  };
}

function judgeUnderConditions(lab: Case, { what, paths, hint }: UnderConditions): Judgement {
  const { facts, baseline, plan } = lab;
  const { demanded, own } = listConditions(facts, baseline);
  const ids = Object.keys(paths) as ProbeId[];
  const expected = `${what} under ${joinWords(demanded.map(renderCondition))}`;
  const tried = demanded.includes(own) ? demanded : [...demanded, own];
  const reason = tried.map((condition) => findCopyTrouble(lab, condition, ids)).find((one) => one !== undefined);
  if (reason !== undefined) return { verdict: 'error', expected, reason };
  const evidence: string[] = [];
  let drops: Condition | undefined;
  for (const condition of demanded) {
    const copy = findCopy(lab, condition);
    const lost = ids.filter((path) => copy && !arrived(copy, path, plan));
    if (lost.length > 0 && condition.forwardPolicy === 'drop') drops ??= condition;
    for (const path of copy ? lost : []) {
      evidence.push(
        `under ${renderCondition(condition)}: ${paths[path]?.(plan) ?? path} ${copy ? describeEnd(copy, path, plan) : ''}`,
      );
    }
  }
  const lines = [...evidence, ...notes(lab)];
  if (evidence.length === 0) return pass({ expected, actual: 'so it does', evidence: lines });
  const tool = drops?.drop.includes('nft') === false ? 'iptables-legacy' : 'iptables';
  const where = `${evidence[0] ?? ''}: look at what would decide there under that condition`;
  return fail({
    expected,
    actual: evidence[0] ?? '',
    evidence: lines,
    hint: drops ? { where: lookAtForward(tool), ...hint(plan, tool) } : { where },
  });
}

const notes = ({ facts }: Case): string[] =>
  facts.here.sysctls[bridgeNfSetting] === undefined
    ? ['bridge-nf 1 was not tried: this kernel has no br_netfilter, so there is no such condition']
    : [];

const lookAtForward = (tool: string): string =>
  `what FORWARD accepts when its policy is DROP (${tool} -S FORWARD): each direction needs a rule`;
