import {
  type Case,
  type ChapterChecks,
  type ChapterCheck,
  checkUnderConditions,
  containers,
  controls,
  type Evidence,
  fail,
  type File,
  isBlind,
  lostPackets,
  type Judgement,
  findNetns,
  describeOutcome,
  pass,
  type ProbeId,
  findResult,
  needRouted,
  type Sight,
  findSights,
  type Signs,
  worldIsDown,
  type Which,
} from '@handwired/checker/checks';
import { world } from '@handwired/host';

const asking = { ct1: 'ct1 lookup', ct2: 'ct2 lookup' } as const;
const { name: siteName, address: siteAddress } = world.site;

/** Queries, by UDP or TCP, that came to one of the world's name servers: which one was asked, and from where. */
const listArrivals = (evidence: Evidence, probe: ProbeId): Sight[] =>
  findSights(evidence, probe, { in: 'world', way: 'in', targetPort: 53 }).filter(
    ({ what, target }) =>
      (what === 'query' || what === 'request') && world.resolvers.some((address) => address === target),
  );

function lookup(lab: Case, which: Which): Judgement {
  const { evidence, plan } = lab;
  const { name } = plan[which];
  const probe = asking[which];
  const result = findResult(evidence, probe);
  const expected = `a fresh name under ${siteName} is ${siteAddress}, asked by ${name} and answered by a name server of the world`;
  if (worldIsDown(evidence)) return { verdict: 'error', expected, reason: 'the world does not answer even itself' };
  const queries = findSights(evidence, probe, { in: name }).filter(
    ({ what }) => what === 'query' || what === 'request',
  );
  const asked = listArrivals(evidence, probe);
  const lines = [
    queries[0] ? `${name} asked ${queries[0].target}` : `no query was seen in ${name}`,
    asked[0] ? `the world's ${asked[0].target} was asked from ${asked[0].source}` : 'no query arrived in the world',
  ];
  if (!result.ok) {
    if (!findResult(evidence, `${which}>internet`).ok && queries.length > 0 && toWorld(queries)) {
      return { verdict: 'skipped', expected, unless: `egress.${which}` };
    }
    return fail({ expected, actual: describeOutcome(result), evidence: lines });
  }
  if (result.foundAs !== undefined) {
    return fail({ expected, actual: `an answer came, for the name ${result.foundAs}`, evidence: lines });
  }
  const wrong = result.answers?.find((answer) => answer !== siteAddress);
  const actual = `the answer is ${result.answers?.join(', ') ?? ''}`;
  if (asked.length === 0 && isBlind(evidence, 'world')) return lostPackets('the world', expected);
  if (wrong || asked.length === 0) {
    return fail({
      expected,
      actual,
      evidence: lines,
      hint: { wrong: 'Something on the lab host makes the answer up: the world was not asked, or said otherwise.' },
    });
  }
  if (queries.length > 0) return pass({ expected, actual, evidence: lines });
  if (isBlind(evidence, name)) return lostPackets(name, expected);
  return fail({
    expected,
    actual,
    evidence: lines,
    hint: { wrong: `The lab host's own service answered over a socket file; ${name} sent nothing.` },
  });
}

const toWorld = (queries: { target: string }[]): boolean =>
  queries.every(({ target }) => world.resolvers.some((address) => address === target));

const kept = ['/etc/resolv.conf', '/etc/hosts', '/etc/nsswitch.conf'];

function unchanged({ facts, baseline }: Case): Judgement {
  const expected = `${kept.join(', ')} are as they were`;
  const find = (files: File[], path: string): File | undefined => files.find((file) => file.path === path);
  const changed = kept.filter((path) => {
    const [now, was] = [find(facts.files, path), find(baseline.files, path)];
    return now?.kind !== was?.kind || now?.target !== was?.target || now?.sha256 !== was?.sha256;
  });
  const first = changed[0];
  if (first === undefined) return pass({ expected, actual: 'so they are' });
  const [now, was] = [find(facts.files, first), find(baseline.files, first)];
  const through = now?.kind === 'symlink' && was?.kind === 'symlink';
  const shown = (now?.text ?? 'nothing').trim().split('\n').slice(0, 3).join('; ').slice(0, 160);
  return fail({
    expected,
    actual: `${changed.join(', ')} changed; ${first} now has: ${shown}`,
    evidence: through ? [`${first} is a symlink to ${now.real ?? ''}: the file there was written`] : [],
  });
}

function hostWorks({ evidence }: Case): Judgement {
  const expected = `the lab host looks up a fresh name under ${siteName}`;
  if (worldIsDown(evidence)) return { verdict: 'error', expected, reason: 'the world does not answer even itself' };
  const result = findResult(evidence, 'host lookup');
  const asked = listArrivals(evidence, 'host lookup').length > 0;
  const seen = {
    expected,
    actual: result.ok ? `the answer is ${result.answers?.join(', ') ?? ''}` : describeOutcome(result),
  };
  if (result.ok && asked && result.answers?.every((answer) => answer === siteAddress)) return pass(seen);
  if (result.ok && !asked && isBlind(evidence, 'world')) return lostPackets('the world', expected);
  return fail({ ...seen, evidence: asked ? [] : ['no query of it arrived in the world'] });
}

function https({ evidence, plan }: Case): Judgement {
  const expected = `https://${siteName} answers ${plan.ct1.name}, with a certificate that holds`;
  const result = findResult(evidence, 'ct1 https');
  // The first message of TLS, by its random: it came to the world's own server, and the certificate holds.
  const came = findSights(evidence, 'ct1 https', { in: 'world', way: 'in', what: 'request', targetPort: 443 });
  const arrived = came.some(({ target }) => target === siteAddress);
  if (result.ok && arrived) return pass({ expected, actual: describeOutcome(result) });
  if (result.ok && isBlind(evidence, 'world')) return lostPackets('the world', expected);
  if (result.ok) return fail({ expected, actual: 'answered, but nothing of it arrived in the world' });
  return fail({ expected, actual: `${describeOutcome(result)} (at: ${result.stage})` });
}

/** Whether the learner runs their own name server, in a container or at the gateway. */
const hasNameServer = ({ facts, plan }: Signs): boolean =>
  facts.here.sockets.some(({ port, address }) => port === 53 && address.startsWith(plan.gateway)) ||
  containers.some((which) => findNetns(facts, plan[which].name)?.net?.sockets.some(({ port }) => port === 53));

const underConditions = checkUnderConditions({
  id: 'dns.conditions',
  title: 'The containers look up names whatever the policy of FORWARD and bridge-nf',
  // An enslaved uplink works while the lab host remembers its neighbours (ARP). A copy of the lab host remembers none.
  needs: ['bridge.uplink', 'dns.ct1', 'dns.ct2'],
  what: 'both containers look up names',
  paths: {
    'ct1 lookup': ({ ct1 }) => `the name lookup of ${ct1.name}`,
    'ct2 lookup': ({ ct2 }) => `the name lookup of ${ct2.name}`,
  },
  hint: ({ bridge }, tool) => ({
    wrong: `FORWARD accepts other packets between ${bridge} and ${world.uplink.name}, and not the questions to port 53 and their answers.`,
    mend: `${tool} -A FORWARD -i ${bridge} -j ACCEPT\n${tool} -A FORWARD -o ${bridge} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT`,
  }),
});

/** 07: names, in the containers and still on the lab host. */
export const grading: ChapterChecks = {
  isBegun: (signs) =>
    signs.differences.some(({ subject, key }) => subject === 'files' && /^\/etc\/(netns\/|resolv\.conf)/.test(key)) ||
    hasNameServer(signs),
  checks: [
    ...containers.map(
      (which): ChapterCheck => ({
        id: `dns.${which}`,
        title: (plan) => `${plan[which].name} can look up names`,
        needs: needRouted(which),
        probes: [...controls, asking[which], `${which}>internet`],
        judge: (lab) => lookup(lab, which),
      }),
    ),
    {
      id: 'dns.https',
      title: (plan) => `${plan.ct1.name} opens https://${siteName} by its name`,
      needs: ['dns.ct1', 'egress.ct1'],
      probes: [...controls, 'ct1 https'],
      judge: https,
    },
    {
      id: 'dns.host-unchanged',
      title: () => "The lab host's own resolver files are untouched",
      needs: [],
      passNeeds: ['dns.ct1', 'dns.ct2'],
      probes: [],
      judge: unchanged,
    },
    {
      id: 'dns.host-works',
      title: () => 'The lab host itself can still look up names',
      needs: [],
      passNeeds: ['dns.ct1', 'dns.ct2'],
      probes: [...controls, 'host lookup'],
      judge: hostWorks,
    },
    underConditions,
  ],
};
