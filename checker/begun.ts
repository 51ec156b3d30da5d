import { type ChapterId, dockerHost, type Plan } from '@handwired/host';
import { addressesOf, netnsOf, newLinks } from './queries/links.ts';
import { type Difference, diffFacts } from './facts/diff.ts';
import type { Facts } from './facts/facts.ts';
import type { LabRecord } from './record.ts';

/**
 * Which chapters a learner has begun, from what differs from the baseline. When the record shows that things were built
 * and no namespace, bridge or veth of the learner's is there now, that is cleanup, and only cleanup.
 */
export function begun(facts: Facts, baseline: Facts, plan: Plan, record: LabRecord): ChapterId[] {
  const signs = signsOf(facts, baseline, plan, record);
  const built = Object.keys(record.begun).some((chapter) => chapter !== 'cleanup');
  if (built && !signs.namespaces && !signs.bridge && !signs.veth) return ['cleanup'];
  return (Object.keys(signs) as (keyof typeof signs)[]).filter((chapter) => signs[chapter]);
}

/** Names of the learner's links and namespaces that are here now. */
export function namesOf(facts: Facts, baseline: Facts): string[] {
  const known = new Set([...baseline.here.links, ...baseline.namespaces].map(({ name }) => name));
  return [...facts.here.links, ...facts.namespaces].map(({ name }) => name).filter((name) => !known.has(name));
}

function signsOf(facts: Facts, baseline: Facts, plan: Plan, record: LabRecord) {
  const found = diffFacts(baseline, facts).filter(({ change }) => change !== 'gone');
  const inner = [netnsOf(facts, plan.ct1.name), netnsOf(facts, plan.ct2.name)];
  const addressed = inner.map((netns) =>
    (netns?.net?.links ?? []).some((link) => !link.loopback && addressesOf(link).length > 0),
  );
  return {
    namespaces: facts.namespaces.some(({ name }) => [plan.ct1.name, plan.ct2.name].includes(name)),
    bridge: newLinks(facts, baseline, 'bridge').length > 0,
    veth: newLinks(facts, baseline, 'veth').length > 0 || inner.some((netns) => hasVeth(netns?.net?.links)),
    addressing: addressed.some(Boolean),
    connectivity: addressed.every(Boolean),
    egress: found.some(isEgress),
    dns:
      found.some(({ subject, key }) => subject === 'files' && /^\/etc\/(netns\/|resolv\.conf)/.test(key)) ||
      asksInside(facts, plan),
    publish: found.some((difference) => isPublish(difference, plan)) || serves(facts, plan),
    observe: facts.answers?.some(({ chapter }) => chapter === 'observe') === true || (facts.captures ?? []).length > 0,
    docker: facts.namespaces.some(({ name }) => name === dockerHost.netns),
    troubleshoot: (record.faults ?? []).length > 0,
  };
}

const hasVeth = (links: readonly { kind: string | null }[] | undefined): boolean =>
  links?.some(({ kind }) => kind === 'veth') === true;

const isEgress = ({ subject, scope, key }: Difference): boolean =>
  scope === '' && (subject === 'rules' || (subject === 'sysctls' && /forward/.test(key)));

const isPublish = ({ subject, scope, key, text }: Difference, plan: Plan): boolean =>
  scope === '' &&
  ((subject === 'rules' && new RegExp(`\\b${plan.hostPort}\\b`).test(text)) ||
    (subject === 'processes' && new RegExp(`:${plan.hostPort} `).test(key)));

/** A name server of the learner's own, in a container or at the gateway. */
const asksInside = (facts: Facts, plan: Plan): boolean =>
  facts.here.sockets.some(({ port, address }) => port === 53 && address.startsWith(plan.gateway)) ||
  [plan.ct1, plan.ct2].some(({ name }) => netnsOf(facts, name)?.net?.sockets.some(({ port }) => port === 53));

const serves = (facts: Facts, plan: Plan): boolean =>
  netnsOf(facts, plan.ct1.name)?.net?.sockets.some(
    ({ protocol, port }) => protocol === 'tcp' && port === plan.containerPort,
  ) === true;
