import { type Case, type Check, fail, type Judgement, pass } from './check.ts';
import { containers, linked } from './look.ts';
import { blind, forwardDrops, outcomeOf, resultOf, sightsOf, unanswered, wayOf } from './trace.ts';

type Which = (typeof containers)[number];
const other = { ct1: 'ct2', ct2: 'ct1' } as const;
const across = { ct1: 'ct1>ct2', ct2: 'ct2>ct1' } as const;
const home = { ct1: 'ct1>gateway', ct2: 'ct2>gateway' } as const;

function neighbour(the: Case, from: Which): Judgement {
  const { evidence, plan } = the;
  const to = plan[other[from]];
  const probe = across[from];
  const result = resultOf(evidence, probe);
  const arrived = sightsOf(evidence, probe, { in: to.name, way: 'in', what: 'echo' }).length > 0;
  const expected = `${to.address} answers, and the echo request is seen in ${to.name}`;
  if (result.ok && arrived) return pass({ expected, actual: outcomeOf(result), evidence: wayOf(evidence, probe) });
  if (result.ok && blind(evidence, to.name))
    return { verdict: 'error', expected, reason: `the capture in ${to.name} lost packets` };
  if (result.ok) {
    return fail({
      expected,
      actual: `answered, but not by ${to.name}: the request never arrived there`,
      evidence: wayOf(evidence, probe),
      hint: `Something else has the address ${to.address}.`,
    });
  }
  return fail({
    expected,
    actual: outcomeOf(result),
    evidence: wayOf(evidence, probe),
    hint: whyNot(the, from, arrived),
  });
}

function whyNot({ facts, evidence, plan }: Case, from: Which, arrived: boolean): string | undefined {
  const to = plan[other[from]];
  if (arrived) return `The request arrives in ${to.name}; the answer is lost on its way back.`;
  if (unanswered(evidence, plan[from].name, to.address)) {
    return `${plan[from].name} asks who has ${to.address} (ARP), and nobody answers.`;
  }
  const entered = sightsOf(evidence, across[from], { in: 'root', way: 'in', what: 'echo' });
  const left = sightsOf(evidence, across[from], { in: 'root', way: 'out', what: 'echo' });
  if (entered.length === 0 || left.length > 0) return undefined;
  const judged = facts.here.sysctls['net/bridge/bridge-nf-call-iptables'] === '1';
  const drops = forwardDrops(facts);
  const where = `The packet enters the bridge at ${entered[0]?.device ?? ''} and leaves it nowhere.`;
  if (!judged) return where;
  const why = drops
    ? `the policy of ${drops} is DROP, and no rule accepts ${plan.bridge} to ${plan.bridge}`
    : 'a rule there drops it';
  return `${where} bridge-nf-call-iptables is 1, so FORWARD judges what passes between two ports: ${why}.`;
}

function gateway(the: Case, from: Which): Judgement {
  const { evidence, plan } = the;
  const result = resultOf(evidence, home[from]);
  const seen = {
    expected: `${plan.gateway} answers ${plan[from].name}`,
    actual: outcomeOf(result),
    evidence: wayOf(evidence, home[from]),
  };
  if (result.ok) return pass(seen);
  const silent = unanswered(evidence, plan[from].name, plan.gateway);
  const hint = silent ? `${plan[from].name} asks who has ${plan.gateway} (ARP), and nobody answers.` : undefined;
  return fail({ ...seen, hint });
}

/** 05: frames and packets between the containers and their gateway, by echo requests that carry a token. */
export const connectivity: Check[] = containers.flatMap((which): Check[] => [
  {
    id: `connectivity.${which}-gateway`,
    chapter: 'connectivity',
    title: (plan) => `${plan[which].name} reaches its gateway ${plan.gateway}`,
    needs: [...linked(which), 'bridge.address', 'bridge.up'],
    probes: [home[which]],
    judge: (the) => gateway(the, which),
  },
  {
    id: `connectivity.${which}-${other[which]}`,
    chapter: 'connectivity',
    title: (plan) => `${plan[which].name} reaches ${plan[other[which]].name}`,
    needs: [...linked('ct1'), ...linked('ct2'), 'bridge.up'],
    probes: [across[which]],
    judge: (the) => neighbour(the, which),
  },
]);
