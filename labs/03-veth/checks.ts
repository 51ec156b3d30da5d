import {
  type Case,
  type ChapterChecks,
  type ChapterCheck,
  containers,
  fail,
  type Judgement,
  joinWords,
  type Named,
  findNetns,
  findNewLinks,
  findPair,
  findPairs,
  pass,
  renderUp,
  type Which,
} from '@handwired/checker/checks';

function pair({ facts, plan }: Case, which: Which): Judgement {
  const { name } = plan[which];
  const expected = `a veth pair with one end in ${name} and the other on the lab host`;
  const found = findPairs(facts, plan[which]);
  if (found.length > 0) {
    return pass({
      expected,
      actual: joinWords(found.map(({ inner, host }) => `${inner.name} in ${name} and ${host.name}`)),
    });
  }
  const inner = findNetns(facts, name)?.net?.links.filter((link) => !link.loopback) ?? [];
  return fail({
    expected,
    actual: inner.length > 0 ? `in ${name}: ${joinWords(inner.map(describe))}` : `nothing but lo in ${name}`,
  });
}

const describe = (link: { name: string; kind: string | null }): string => `${link.name} (${link.kind ?? 'no kind'})`;

function port({ facts, plan }: Case, which: Which): Judgement {
  const host = findPair(facts, plan[which], plan)?.host;
  const expected = `the host end is up and a port of ${plan.bridge}`;
  const actual = `${host?.name ?? ''} is ${renderUp(host?.up === true)}, master ${host?.master ?? 'none'}`;
  if (host?.up && host.master === plan.bridge) return pass({ expected, actual });
  return fail({ expected, actual });
}

const hasVeth = (netns: Named | undefined): boolean => netns?.net?.links.some(({ kind }) => kind === 'veth') === true;

/** 03: the cables. They are found by the kernel's interface indexes, so a learner may choose the names. */
export const grading: ChapterChecks = {
  standing: true,
  isBegun: ({ facts, baseline, plan }) =>
    findNewLinks(facts, baseline, 'veth').length > 0 ||
    containers.some((which) => hasVeth(findNetns(facts, plan[which].name))),
  checks: containers.flatMap((which): ChapterCheck[] => [
    {
      id: `veth.${which}`,
      title: (plan) => `A veth pair leads from ${plan[which].name} to the lab host`,
      needs: [`namespaces.${which}`],
      probes: [],
      judge: (lab) => pair(lab, which),
    },
    {
      id: `veth.${which}-port`,
      title: (plan) => `${plan[which].name}'s cable is plugged into ${plan.bridge}`,
      needs: [`veth.${which}`, 'bridge.exists'],
      probes: [],
      judge: (lab) => port(lab, which),
    },
  ]),
};
