import {
  type Case,
  type ChapterChecks,
  type ChapterCheck,
  checkUnderConditions,
  containers,
  fail,
  isAddressed,
  isBlind,
  lostPackets,
  type Judgement,
  needLinked,
  describeOutcome,
  pass,
  findResult,
  findSights,
  describeWay,
  type Which,
} from '@handwired/checker/checks';

const other = { ct1: 'ct2', ct2: 'ct1' } as const;
const across = { ct1: 'ct1>ct2', ct2: 'ct2>ct1' } as const;
const home = { ct1: 'ct1>gateway', ct2: 'ct2>gateway' } as const;

function neighbour(lab: Case, from: Which): Judgement {
  const { evidence, plan } = lab;
  const to = plan[other[from]];
  const probe = across[from];
  const result = findResult(evidence, probe);
  const arrived = findSights(evidence, probe, { in: to.name, way: 'in', what: 'echo' }).length > 0;
  const expected = `${to.address} answers, and the echo request is seen in ${to.name}`;
  if (result.ok && arrived)
    return pass({ expected, actual: describeOutcome(result), evidence: describeWay(evidence, probe) });
  if (result.ok && isBlind(evidence, to.name)) return lostPackets(to.name, expected);
  if (result.ok) {
    return fail({
      expected,
      actual: `answered, but not by ${to.name}: the request never arrived there`,
      evidence: describeWay(evidence, probe),
      hint: { wrong: `Something else has the address ${to.address}.` },
    });
  }
  return fail({ expected, actual: describeOutcome(result), evidence: describeWay(evidence, probe) });
}

function gateway(lab: Case, from: Which): Judgement {
  const { evidence, plan } = lab;
  const result = findResult(evidence, home[from]);
  const seen = {
    expected: `${plan.gateway} answers ${plan[from].name}`,
    actual: describeOutcome(result),
    evidence: describeWay(evidence, home[from]),
  };
  return result.ok ? pass(seen) : fail(seen);
}

const underConditions = checkUnderConditions({
  id: 'connectivity.conditions',
  title: 'The containers reach each other whatever the policy of FORWARD and bridge-nf',
  needs: ['connectivity.ct1-ct2', 'connectivity.ct2-ct1'],
  what: 'the containers reach each other',
  paths: {
    'ct1>ct2': ({ ct1, ct2 }) => `${ct1.name} to ${ct2.name}`,
    'ct2>ct1': ({ ct1, ct2 }) => `${ct2.name} to ${ct1.name}`,
  },
  hint: ({ bridge }, tool) => ({
    wrong: `With bridge-nf 1 FORWARD also judges what passes from one port of ${bridge} to another, and no rule accepts it.`,
    mend: `${tool} -A FORWARD -i ${bridge} -o ${bridge} -j ACCEPT`,
  }),
});

/** 05: frames and packets between the containers and their gateway, by echo requests that carry a token. */
export const grading: ChapterChecks = {
  isBegun: (signs) => containers.every((which) => isAddressed(signs, which)),
  checks: [
    ...containers.flatMap((which): ChapterCheck[] => [
      {
        id: `connectivity.${which}-gateway`,
        title: (plan) => `${plan[which].name} reaches its gateway ${plan.gateway}`,
        needs: [...needLinked(which), 'bridge.address', 'bridge.up'],
        probes: [home[which]],
        judge: (lab) => gateway(lab, which),
      },
      {
        id: `connectivity.${which}-${other[which]}`,
        title: (plan) => `${plan[which].name} reaches ${plan[other[which]].name}`,
        needs: [...needLinked('ct1'), ...needLinked('ct2'), 'bridge.up'],
        probes: [across[which]],
        judge: (lab) => neighbour(lab, which),
      },
    ]),
    underConditions,
  ],
};
