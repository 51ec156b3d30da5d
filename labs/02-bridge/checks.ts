import {
  listAddresses,
  type Case,
  type ChapterChecks,
  fail,
  type Judgement,
  findLink,
  joinWords,
  findNewLinks,
  pass,
  renderUp,
} from '@handwired/checker/checks';
import { world } from '@handwired/host';

function exists({ facts, baseline, plan }: Case): Judgement {
  const expected = `a link ${plan.bridge} of kind bridge`;
  const link = findLink(facts.here.links, plan.bridge);
  if (link?.kind === 'bridge') return pass({ expected, actual: 'there is' });
  if (link) return fail({ expected, actual: `${plan.bridge} is of kind ${link.kind ?? 'none'}` });
  const others = findNewLinks(facts, baseline, 'bridge').map(({ name }) => name);
  return fail({ expected, actual: `there is no such link; bridges of yours: ${joinWords(others)}` });
}

function address({ facts, plan }: Case): Judgement {
  const wanted = `${plan.gateway}/${plan.prefix}`;
  const expected = `${wanted} on ${plan.bridge}`;
  const found = listAddresses(findLink(facts.here.links, plan.bridge));
  if (found.includes(wanted)) return pass({ expected, actual: joinWords(found) });
  return fail({ expected, actual: joinWords(found) });
}

function up({ facts, plan }: Case): Judgement {
  const link = findLink(facts.here.links, plan.bridge);
  const seen = { expected: `${plan.bridge} is up`, actual: `it is ${renderUp(link?.up === true)}` };
  return link?.up ? pass(seen) : fail(seen);
}

function uplink({ facts }: Case): Judgement {
  const name = world.uplink.name;
  const expected = `${name} is a port of no bridge and keeps ${world.uplink.address}`;
  const link = findLink(facts.here.links, name);
  const kept = listAddresses(link).includes(`${world.uplink.address}/${world.uplink.prefix}`);
  if (link && kept && link.up && link.master === null) return pass({ expected, actual: 'so it is' });
  const actual = link
    ? `master ${link.master ?? 'none'}, ${renderUp(link.up)}, addresses ${joinWords(listAddresses(link))}`
    : 'the link is gone';
  return fail({ expected, actual });
}

/** 02: the bridge, the containers' gateway. */
export const grading: ChapterChecks = {
  standing: true,
  isBegun: ({ facts, baseline }) => findNewLinks(facts, baseline, 'bridge').length > 0,
  checks: [
    {
      id: 'bridge.exists',
      title: (plan) => `${plan.bridge} is a bridge`,
      needs: [],
      probes: [],
      judge: exists,
    },
    {
      id: 'bridge.address',
      title: (plan) => `${plan.bridge} has the gateway's address ${plan.gateway}/${plan.prefix}`,
      needs: ['bridge.exists'],
      probes: [],
      judge: address,
    },
    {
      id: 'bridge.up',
      title: (plan) => `${plan.bridge} is up`,
      needs: ['bridge.exists'],
      probes: [],
      judge: up,
    },
    {
      id: 'bridge.uplink',
      title: () => `The uplink ${world.uplink.name} stays as it was, outside the bridge`,
      needs: [],
      passNeeds: ['bridge.exists'],
      probes: [],
      judge: uplink,
    },
  ],
};
