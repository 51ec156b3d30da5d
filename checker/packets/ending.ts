import type { Plan } from '@handwired/host';
import type { Facts } from '../facts/facts.ts';
import { isLocal, isWithin } from '../queries/packet.ts';
import { endText, isArp, findNet, placeName } from './steps.ts';
import type { ChainStep, End, Errand, Seen, Step } from './trace-data.ts';

/** A trace with what is needed to say how it ended. */
export interface Traced {
  errand: Errand;
  seen: Seen;
  facts: Facts;
  steps: readonly Step[];
  plan: Plan;
}

type Judge = (traced: Traced) => Omit<End, 'verdict'> | undefined;

/** Finds where the packet ended and why, from what was seen. Pure. */
export function findEnd(traced: Traced): End {
  const { result } = traced.seen;
  if (result?.ok === true) return { verdict: 'answered', cause: null, because: answeredBy(traced) };
  const found = judges.map((judge) => judge(traced)).find((end) => end !== undefined) ?? unexplained(traced);
  const refused = traced.steps.some(({ packet: { what } }) => what === 'rst' || what === 'unreachable');
  return { verdict: refused ? 'refused' : 'lost', ...found };
}

function answeredBy({ steps, errand }: Traced): string {
  const answer = steps.find(({ back }) => back);
  const last = steps.findLast(({ back }) => !back);
  const at = last ? `, at ${where(last)}` : '';
  return `${answer ? endText(answer.packet.source, answer.packet.sourcePort) : errand.to} answered${at}.`;
}

/** Possible explanations. The first that gives a result is used. */
const judges: readonly Judge[] = [
  neverLeft,
  droppedByRule,
  refusedBy,
  noNeighbour,
  saidUnreachable,
  droppedByLegacy,
  notTranslated,
  notForwarded,
];

function neverLeft({ steps, seen, errand }: Traced): Omit<End, 'verdict'> | undefined {
  const error = seen.result?.error;
  if (steps.length > 0 || error === undefined || error === null) return undefined;
  const cause = /unreachable|no route/i.test(error) ? 'no-route' : null;
  const who = placeName(errand.in);
  const means = cause === 'no-route' ? `${who} has no route to ${errand.to}` : `${who} could not send it`;
  return { cause, because: `${means}: the kernel says "${error}", and no packet left.` };
}

function droppedByRule({ steps }: Traced): Omit<End, 'verdict'> | undefined {
  const chain = steps.find((step): step is ChainStep => step.kind === 'chain' && step.verdict === 'drop');
  if (!chain) return undefined;
  const last = chain.rules.at(-1);
  const name = `${chain.table} ${chain.chain}`;
  if (chain.byPolicy || !last) {
    const none = chain.rules.length === 0 ? 'no rule matched it, and ' : '';
    return { cause: 'policy', because: `It was dropped in ${chain.in} by ${name}: ${none}its policy is drop.` };
  }
  const by = last.chain === chain.chain ? '' : `chain ${last.chain}, `;
  return { cause: 'rule', because: `It was dropped in ${chain.in} by ${name}: ${by}rule "${last.rule}".` };
}

function refusedBy({ steps }: Traced): Omit<End, 'verdict'> | undefined {
  const reset = steps.find(({ packet }) => packet.what === 'rst');
  if (!reset) return undefined;
  const who = endText(reset.packet.source, reset.packet.sourcePort);
  return { cause: 'no-listener', because: `${who} refused it in ${reset.in} (RST): nothing listens there.` };
}

function saidUnreachable({ steps }: Traced): Omit<End, 'verdict'> | undefined {
  const error = steps.find(({ packet }) => packet.what === 'unreachable' || packet.what === 'time-exceeded');
  if (!error) return undefined;
  const word = error.packet.what === 'unreachable' ? 'that it is unreachable' : 'that its time to live is over';
  return { cause: 'unreachable', because: `${error.packet.source} says ${word} (ICMP, from ${error.in}).` };
}

/** At the packet's last place, the ARP request for its next hop got no answer. */
function noNeighbour({ seen, facts, steps, errand }: Traced): Omit<End, 'verdict'> | undefined {
  const last = steps.at(-1);
  const name = Object.keys(seen.spaces).find((one) => (last ? placeName(one) === last.in : one === errand.in)) ?? '';
  const net = findNet(facts, name);
  const arp = seen.spaces[name]?.sights.filter(isArp) ?? [];
  const gateways =
    net?.routes.flatMap(({ gateway, nexthops }) => [gateway, ...nexthops.map((one) => one.gateway)]) ?? [];
  const wanted = new Set([last?.packet.target ?? errand.to, ...gateways]);
  const own = (address: string): boolean => net !== undefined && net !== null && isLocal(net, address);
  const asked = arp.find(
    (one) =>
      one.what === 'who-has' &&
      one.way === 'out' &&
      own(one.source) &&
      wanted.has(one.target) &&
      !arp.some(({ what, source }) => what === 'is-at' && source === one.target),
  );
  if (!asked) return undefined;
  const because = `${placeName(name)} asks on ${asked.device} who has ${asked.target} (ARP), and nobody answers.`;
  return { cause: 'no-neighbour', because };
}

/** iptables-legacy dropped it. No trace shows that; only the counter of the rule or policy does. */
function droppedByLegacy({ steps, seen }: Traced): Omit<End, 'verdict'> | undefined {
  const last = steps.at(-1);
  const [name, space] = Object.entries(seen.spaces).find(([one]) => placeName(one) === last?.in) ?? [];
  const found = space?.legacy?.find(({ rule }) => /-j (DROP|REJECT)\b|^policy DROP$/.test(rule));
  if (name === undefined || !found) return undefined;
  const because = `It was last seen at ${placeName(name)}, where iptables-legacy counted a packet meanwhile at ${found.table} ${found.chain}: ${found.rule}. No trace shows what iptables-legacy does.`;
  return { cause: 'legacy', because };
}

/** The packet left with a source that the world has no route to, so the world can't answer. */
function notTranslated({ steps, plan }: Traced): Omit<End, 'verdict'> | undefined {
  const last = steps.at(-1);
  if (last?.in !== placeName('world') || last.back || !isWithin(last.packet.source, plan.subnet)) return undefined;
  const because = `It reached the world from ${last.packet.source}, an address that has no meaning there: nothing translated its source, so no answer finds the way back.`;
  return { cause: 'not-translated', because };
}

/** The packet entered a namespace and left it by no link. */
function notForwarded({ steps, facts, seen }: Traced): Omit<End, 'verdict'> | undefined {
  const last = steps.at(-1);
  const name = Object.keys(seen.spaces).find((space) => placeName(space) === last?.in);
  const net = name === undefined ? undefined : findNet(facts, name);
  if (!last || !net || name === 'world') return undefined;
  if (last.kind === 'link' && last.way === 'out') return undefined;
  if (last.kind === 'chain' && last.hook !== 'prerouting') return undefined;
  const { target } = last.packet;
  if (isLocal(net, target)) return undefined;
  const came = steps.findLast((step) => step.kind === 'link' && step.in === last.in && step.way === 'in');
  const device = came?.kind === 'link' ? came.device : undefined;
  const forwarding = device && net.sysctls[`net/ipv4/conf/${device}/forwarding`];
  if (forwarding === '0') {
    const because = `It came into ${last.in} by ${device ?? '?'} for ${target}, and ${last.in} forwards nothing: net.ipv4.ip_forward is ${net.sysctls['net/ipv4/ip_forward'] ?? '0'}.`;
    return { cause: 'forwarding', because };
  }
  const filter = Math.max(
    ...['all', device ?? 'all'].map((one) => Number(net.sysctls[`net/ipv4/conf/${one}/rp_filter`] ?? 0)),
  );
  const strict =
    filter > 0 ? `, or rp_filter (${filter}) does not take ${last.packet.source} from ${device ?? 'there'}` : '';
  const because = `It came into ${last.in} for ${target} and was sent on nowhere: no route to it${strict}. See: ip route get ${target} from ${last.packet.source} iif ${device ?? 'lo'}`;
  return { cause: 'routing', because };
}

function unexplained({ steps, seen, errand }: Traced): Omit<End, 'verdict'> {
  const last = steps.at(-1);
  const said = seen.result?.error ? ` The sender got: ${seen.result.error}.` : '';
  const way = last?.back === true ? 'Its answer' : 'It';
  if (!last) return { cause: null, because: `No packet of it was seen on any link of ${placeName(errand.in)}.${said}` };
  return {
    cause: null,
    because: `${way} was last seen at ${where(last)}, and no rule that can be traced took it.${said}`,
  };
}

const where = (step: Step): string =>
  step.kind === 'link' ? `${step.in} ${step.device}` : `${step.in} ${step.table} ${step.chain}`;
