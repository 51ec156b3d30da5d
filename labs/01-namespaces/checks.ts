import {
  type Case,
  type ChapterCheck,
  type ChapterChecks,
  containers,
  fail,
  type Judgement,
  findNetns,
  pass,
} from '@handwired/checker/checks';

function judge({ facts, plan }: Case, which: 'ct1' | 'ct2'): Judgement {
  const { name } = plan[which];
  const expected = `/run/netns/${name} is a network namespace of its own`;
  const entry = facts.namespaces.find((found) => found.name === name);
  const no = (actual: string): Judgement => fail({ expected, actual });
  if (!entry) {
    const others = facts.namespaces.map((found) => found.name).join(', ');
    return no(`there is none of that name (there is: ${others || 'nothing'})`);
  }
  if (!entry.real) return no('it is a plain file');
  if (entry.inode === facts.host.inode) return no("it is the lab host's own namespace");
  const twin = which === 'ct2' ? findNetns(facts, plan.ct1.name) : undefined;
  if (twin?.inode === entry.inode) return no(`it is the same one as ${plan.ct1.name}`);
  if (!entry.net) return { verdict: 'error', expected, reason: `${name} could not be entered` };
  return pass({ expected, actual: `it is, inode ${entry.inode ?? ''}` });
}

/** 01: two network namespaces, however they were made (ip netns add, attach, unshare --net=FILE). */
export const grading: ChapterChecks = {
  standing: true,
  isBegun: ({ facts, plan }) =>
    facts.namespaces.some(({ name }) => containers.some((which) => plan[which].name === name)),
  checks: containers.map(
    (which): ChapterCheck => ({
      id: `namespaces.${which}`,
      title: (plan) => `${plan[which].name} is a network namespace of its own`,
      needs: [],
      probes: [],
      judge: (lab) => judge(lab, which),
    }),
  ),
};
