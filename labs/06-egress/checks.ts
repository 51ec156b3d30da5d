import {
  type Case,
  type ChapterChecks,
  type ChapterCheck,
  checkUnderConditions,
  containers,
  controls,
  fail,
  openingPackets,
  type Judgement,
  joinWords,
  describeOutcome,
  pass,
  type ProbeId,
  findResult,
  needRouted,
  findSights,
  isBlind,
  lostPackets,
  describeWay,
  worldIsDown,
  type Which,
} from '@handwired/checker/checks';
import { world } from '@handwired/host';

const ping = { ct1: 'ct1>internet', ct2: 'ct2>internet' } as const;
const site = { ct1: 'ct1>site', ct2: 'ct2>site' } as const;
const large = { ct1: 'ct1>site:large', ct2: 'ct2>site:large' } as const;

/** What of each is asked, as it is told. */
const describeKind = (probe: ProbeId): string =>
  probe.endsWith(':large') ? 'a long request and reply' : probe.endsWith('>site') ? 'port 80' : 'ping';

function reaches(lab: Case, which: Which): Judgement {
  const { evidence } = lab;
  const expected = `${world.resolvers[0]} answers a ping and ${world.site.address} requests on port 80, a long one too; the world sees all`;
  if (worldIsDown(evidence)) return { verdict: 'error', expected, reason: 'the world does not answer even itself' };
  const results = [ping[which], site[which], large[which]].map((probe) => ({
    probe,
    result: findResult(evidence, probe),
    arrived: findSights(evidence, probe, { in: 'world', way: 'in' }).length > 0,
  }));
  const actual = results.map(({ result, probe }) => `${describeKind(probe)}: ${describeOutcome(result)}`).join('; ');
  const bad = results.find(({ result, arrived }) => !result.ok || !arrived);
  const lines = results.flatMap(({ probe }) => describeWay(evidence, probe));
  if (!bad) return pass({ expected, actual, evidence: lines });
  if (bad.result.ok && isBlind(evidence, 'world')) return lostPackets('the world', expected);
  if (bad.result.ok) {
    const hint = { wrong: 'Something on the lab host answers in place of the internet.' };
    return fail({ expected, actual: `${actual}, and nothing of it arrived in the world`, evidence: lines, hint });
  }
  return fail({ expected, actual, evidence: lines });
}

function source({ evidence }: Case): Judgement {
  const expected = `everything arrives in the world from ${world.uplink.address}`;
  if (worldIsDown(evidence)) return { verdict: 'error', expected, reason: 'the world does not answer even itself' };
  const found = containers
    .flatMap((which) => [ping[which], site[which]])
    .flatMap((probe) => findSights(evidence, probe, { in: 'world', way: 'in' }))
    // Later ones tell nothing: a RST that conntrack holds for INVALID passes by nat, translated or not.
    .filter(({ what }) => openingPackets.has(what));
  const sources = [...new Set(found.map((sight) => sight.source))];
  if (sources.length === 0) return { verdict: 'skipped', expected, unless: 'egress.ct1' };
  const wrong = sources.filter((address) => address !== world.uplink.address);
  const seen = { expected, actual: `it arrives from ${joinWords(sources)}` };
  if (wrong.length === 0) return pass(seen);
  return fail({
    ...seen,
    hint: { wrong: `${wrong[0] ?? ''} is nobody's address out there: the answer finds no way back.` },
  });
}

const underConditions = checkUnderConditions({
  id: 'egress.conditions',
  title: 'The containers reach the internet whatever the policy of FORWARD and bridge-nf',
  // An enslaved uplink works while the lab host remembers its neighbours (ARP). A copy of the lab host remembers none.
  needs: ['bridge.uplink', 'egress.ct1', 'egress.ct2', 'egress.masquerade'],
  what: 'both containers reach the internet',
  paths: {
    'ct1>internet': ({ ct1 }) => `${ct1.name} to the internet (ping)`,
    'ct1>site': ({ ct1 }) => `${ct1.name} to the internet (port 80)`,
    'ct2>internet': ({ ct2 }) => `${ct2.name} to the internet (ping)`,
    'ct2>site': ({ ct2 }) => `${ct2.name} to the internet (port 80)`,
  },
  hint: ({ bridge }, tool) => ({
    wrong: `Rules accept a part of what passes between ${bridge} and ${world.uplink.name} in FORWARD, and not all of it.`,
    mend: `${tool} -A FORWARD -i ${bridge} -j ACCEPT\n${tool} -A FORWARD -o ${bridge} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT`,
  }),
});

/** 06: out of the uplink and back, with an address that the world can answer. */
export const grading: ChapterChecks = {
  isBegun: ({ differences }) =>
    differences.some(
      ({ subject, scope, key }) =>
        scope === '' && (subject === 'rules' || (subject === 'sysctls' && /forward/.test(key))),
    ),
  checks: [
    ...containers.map(
      (which): ChapterCheck => ({
        id: `egress.${which}`,
        title: (plan) => `${plan[which].name} reaches the internet`,
        needs: needRouted(which),
        probes: [...controls, ping[which], site[which], large[which]],
        judge: (lab) => reaches(lab, which),
      }),
    ),
    {
      id: 'egress.masquerade',
      title: () => `The world sees the containers as ${world.uplink.address}`,
      needs: needRouted('ct1'),
      probes: [...controls, 'ct1>internet', 'ct2>internet', 'ct1>site', 'ct2>site'],
      judge: source,
    },
    underConditions,
  ],
};
