import {
  listAddresses,
  type Case,
  type ChapterChecks,
  type ChapterCheck,
  containers,
  fail,
  isAddressed,
  type Judgement,
  findLink,
  joinWords,
  findNetns,
  findPair,
  pass,
  renderUp,
  type Which,
} from '@handwired/checker/checks';

function link({ facts, plan }: Case, which: Which): Judgement {
  const { name } = plan[which];
  const links = findNetns(facts, name)?.net?.links;
  const inner = findPair(facts, plan[which], plan)?.inner;
  const lo = links?.find((entry) => entry.loopback);
  const expected = `lo and ${plan.inner}, the end of the veth pair, are up`;
  const seen = {
    expected,
    actual: `lo is ${renderUp(lo?.up === true)}, ${inner?.name ?? 'the end of the pair'} is ${renderUp(inner?.up === true)}`,
  };
  return inner?.name === plan.inner && inner.up && lo?.up ? pass(seen) : fail(seen);
}

function address({ facts, plan }: Case, which: Which): Judgement {
  const wanted = `${plan[which].address}/${plan.prefix}`;
  const expected = `${wanted} on ${plan.inner}`;
  const found = listAddresses(findLink(findNetns(facts, plan[which].name)?.net?.links, plan.inner));
  if (found.includes(wanted)) return pass({ expected, actual: joinWords(found) });
  return fail({ expected, actual: joinWords(found) });
}

function route({ facts, plan }: Case, which: Which): Judgement {
  const expected = `default via ${plan.gateway} dev ${plan.inner}`;
  const routes = (findNetns(facts, plan[which].name)?.net?.routes ?? []).filter(
    (entry) => entry.destination === 'default' && entry.table === 'main' && !(entry.gateway ?? '').includes(':'),
  );
  const shown = routes.map((entry) => `default via ${entry.gateway ?? 'nobody'} dev ${entry.device ?? 'none'}`);
  const actual = joinWords(shown);
  const best = routes.toSorted((a, b) => (a.metric ?? 0) - (b.metric ?? 0))[0];
  if (best?.gateway === plan.gateway && best.device === plan.inner) return pass({ expected, actual });
  return fail({ expected, actual });
}

/** 04: names, addresses and routes inside the containers. */
export const grading: ChapterChecks = {
  isBegun: (signs) => containers.some((which) => isAddressed(signs, which)),
  checks: containers.flatMap((which): ChapterCheck[] => [
    {
      probes: [],
      id: `addressing.${which}-link`,
      title: (plan) => `In ${plan[which].name}, lo and ${plan.inner} are up`,
      needs: [`veth.${which}`],
      judge: (lab) => link(lab, which),
    },
    {
      probes: [],
      id: `addressing.${which}-address`,
      title: (plan) => `${plan[which].name} has ${plan[which].address}/${plan.prefix} on ${plan.inner}`,
      needs: [`namespaces.${which}`],
      judge: (lab) => address(lab, which),
    },
    {
      probes: [],
      id: `addressing.${which}-route`,
      title: (plan) => `${plan[which].name}'s default route leads to ${plan.gateway}`,
      needs: [`namespaces.${which}`],
      judge: (lab) => route(lab, which),
    },
  ]),
};
