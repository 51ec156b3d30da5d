import {
  findAskedAt,
  type Case,
  type ChapterChecks,
  checkUnderConditions,
  controls,
  type Difference,
  fail,
  isBlind,
  lostPackets,
  type Judgement,
  findNetns,
  describeOutcome,
  pass,
  type ProbeId,
  findResult,
  needRouted,
  findSights,
  type Signs,
  describeWay,
  worldIsDown,
} from '@handwired/checker/checks';
import { type Plan, world } from '@handwired/host';

/** Did the request itself, by its token, arrive in ct1 from outside? Whatever answers then, ct1 was reached. */
const arrivals = ({ evidence, plan }: Case, probe: ProbeId) =>
  findSights(evidence, probe, { in: plan.ct1.name, way: 'in', what: 'request' }).filter(
    (sight) => sight.device !== 'lo',
  );

function reached(lab: Case, probe: ProbeId): Judgement {
  const { evidence, plan } = lab;
  const result = findResult(evidence, probe);
  const expected = `a server answers, and the request is seen arriving in ${plan.ct1.name}`;
  const lines = describeWay(evidence, probe);
  const arrived = arrivals(lab, probe)[0];
  if (result.ok && arrived) {
    return pass({ expected, actual: `${describeOutcome(result)}; arrived from ${arrived.source}`, evidence: lines });
  }
  if (!result.ok) return fail({ expected, actual: describeOutcome(result), evidence: lines });
  if (isBlind(evidence, plan.ct1.name)) return lostPackets(plan.ct1.name, expected);
  const hint = { wrong: `Something else answers: ${listeners(lab)}.` };
  return fail({ expected, actual: `answered, but nothing arrived in ${plan.ct1.name}`, evidence: lines, hint });
}

function listeners({ facts, plan }: Case): string {
  const found = facts.here.sockets.filter(({ protocol, port }) => protocol === 'tcp' && port === plan.hostPort);
  const names = found.map(
    ({ program, address, port }) => `${program ?? 'a program'} listens on ${address}:${port} of the lab host`,
  );
  return names.join(', ') || 'no program on the lab host listens there';
}

/** Judges a request to the published port's number on another host, which must not be redirected. */
function untouched(lab: Case, probe: 'ct2>site:port' | 'host>site:port', who: string): Judgement {
  const { evidence, plan } = lab;
  const expected = `it arrives at ${world.site.address}`;
  if (worldIsDown(evidence)) return { verdict: 'error', expected, reason: 'the world does not answer even itself' };
  const taken = findAskedAt(evidence, probe, { in: plan.ct1.name, way: 'in', target: plan.ct1.address });
  if (taken) {
    return fail({
      expected,
      actual: `it arrived in ${plan.ct1.name}, at ${taken.target}:${taken.targetPort}`,
      evidence: describeWay(evidence, probe),
    });
  }
  // A SYN is known by its source port, which a translation may change where it is taken; the request has its token.
  const arrived = findAskedAt(evidence, probe, { in: 'world', way: 'in' });
  if (arrived) return pass({ expected, actual: 'so it does', evidence: describeWay(evidence, probe) });
  if (!findResult(evidence, who === 'ct2' ? 'ct2>site' : 'host>site').ok) {
    return { verdict: 'skipped', expected, unless: 'egress.ct2' };
  }
  const hint = { wrong: `Port 80 of the same address is reached; something takes port ${plan.hostPort}.` };
  return fail({
    expected,
    actual: describeOutcome(findResult(evidence, probe)),
    evidence: describeWay(evidence, probe),
    hint,
  });
}

/** A rule or a listener with the published port's number. */
const isPublished = ({ subject, scope, key, text }: Difference, plan: Plan): boolean =>
  scope === '' &&
  ((subject === 'rules' && new RegExp(`\\b${plan.hostPort}\\b`).test(text)) ||
    (subject === 'processes' && new RegExp(`:${plan.hostPort} `).test(key)));

const hasServer = ({ facts, plan }: Signs): boolean =>
  findNetns(facts, plan.ct1.name)?.net?.sockets.some(
    ({ protocol, port }) => protocol === 'tcp' && port === plan.containerPort,
  ) === true;

const underConditions = checkUnderConditions({
  id: 'publish.conditions',
  title: 'The published port is reached whatever the policy of FORWARD and bridge-nf',
  // An enslaved uplink works while the lab host remembers its neighbours (ARP). A copy of the lab host remembers none.
  needs: ['bridge.uplink', 'publish.outside', 'publish.host-address', 'publish.loopback'],
  what: 'the published port is reached',
  paths: {
    'outside>uplink': ({ hostPort }) => `an outside client to ${world.uplink.address}:${hostPort}`,
    'host>uplink': ({ hostPort }) => `the lab host to ${world.uplink.address}:${hostPort}`,
    'host>loopback': ({ hostPort }) => `the lab host to 127.0.0.1:${hostPort}`,
    'host>server': ({ ct1, containerPort }) => `the lab host to ${ct1.address}:${containerPort}`,
  },
  hint: ({ ct1, containerPort }, tool) => ({
    wrong: `No rule of FORWARD accepts what comes for ${ct1.address}:${containerPort}, or what it answers.`,
    mend: [
      `${tool} -A FORWARD -p tcp -d ${ct1.address} --dport ${containerPort} -j ACCEPT`,
      `${tool} -A FORWARD -p tcp -s ${ct1.address} --sport ${containerPort} -j ACCEPT`,
    ].join('\n'),
  }),
});

/** 08: the container's server answers at the lab host's port, from everywhere, and nothing else changes. */
export const grading: ChapterChecks = {
  isBegun: (signs) => signs.differences.some((found) => isPublished(found, signs.plan)) || hasServer(signs),
  checks: [
    {
      id: 'publish.server',
      title: (plan) => `A server in ${plan.ct1.name} answers on port ${plan.containerPort}`,
      needs: needRouted('ct1'),
      probes: ['host>server'],
      judge: (lab) => reached(lab, 'host>server'),
    },
    {
      id: 'publish.outside',
      title: (plan) => `An outside client reaches it at ${world.uplink.address}:${plan.hostPort}`,
      needs: ['publish.server'],
      probes: [...controls, 'outside>uplink'],
      judge: (lab) =>
        worldIsDown(lab.evidence)
          ? {
              verdict: 'error',
              expected: 'an outside client is answered',
              reason: 'the world does not answer even itself',
            }
          : reached(lab, 'outside>uplink'),
    },
    {
      id: 'publish.host-address',
      title: (plan) => `The lab host reaches it at ${world.uplink.address}:${plan.hostPort}`,
      needs: ['publish.server'],
      probes: ['host>uplink'],
      judge: (lab) => reached(lab, 'host>uplink'),
    },
    {
      id: 'publish.loopback',
      title: (plan) => `The lab host reaches it at 127.0.0.1:${plan.hostPort}`,
      needs: ['publish.server'],
      probes: ['host>loopback'],
      judge: (lab) => reached(lab, 'host>loopback'),
    },
    {
      id: 'publish.transit',
      title: (plan) => `${plan.ct2.name} still reaches port ${plan.hostPort} of other hosts`,
      needs: needRouted('ct2'),
      passNeeds: ['publish.outside'],
      probes: [...controls, 'ct2>site:port', 'ct2>site'],
      judge: (lab) => untouched(lab, 'ct2>site:port', 'ct2'),
    },
    {
      id: 'publish.outgoing',
      title: (plan) => `The lab host still reaches port ${plan.hostPort} of other hosts`,
      needs: [],
      passNeeds: ['publish.outside'],
      probes: [...controls, 'host>site:port'],
      judge: (lab) => untouched(lab, 'host>site:port', 'host'),
    },
    underConditions,
  ],
};
