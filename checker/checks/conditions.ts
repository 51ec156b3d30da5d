import { type Container, type Plan, world } from '@handwired/host';
import { type Case, type Check, fail, type Hint, type Judgement, pass } from '../queries/check.ts';
import type { Condition, ProbeId } from '../evidence/probes.ts';
import { arrived, bridgeNfSetting, conditionsOf, copyOf, endOf, nameOf, worthless } from '../queries/conditions.ts';
import { type containers, listOf } from '../queries/links.ts';

interface Group {
  what: string;
  paths: Partial<Record<ProbeId, (plan: Plan) => string>>;
  hint: (plan: Plan, tool: string) => Hint;
}

function judge(the: Case, { what, paths, hint }: Group): Judgement {
  const { facts, baseline, plan } = the;
  const { demanded, own } = conditionsOf(facts, baseline);
  const ids = Object.keys(paths) as ProbeId[];
  const expected = `${what} under ${listOf(demanded.map(nameOf))}`;
  const tried = demanded.includes(own) ? demanded : [...demanded, own];
  const reason = tried.map((condition) => worthless(the, condition, ids)).find((one) => one !== undefined);
  if (reason !== undefined) return { verdict: 'error', expected, reason };
  const evidence: string[] = [];
  let drops: Condition | undefined;
  for (const condition of demanded) {
    const copy = copyOf(the, condition);
    const lost = ids.filter((path) => copy && !arrived(copy, path, plan));
    if (lost.length > 0 && condition.forwardPolicy === 'drop') drops ??= condition;
    for (const path of copy ? lost : []) {
      evidence.push(
        `under ${nameOf(condition)}: ${paths[path]?.(plan) ?? path} ${copy ? endOf(copy, path, plan) : ''}`,
      );
    }
  }
  const lines = [...evidence, ...notes(the)];
  if (evidence.length === 0) return pass({ expected, actual: 'so it does', evidence: lines });
  const tool = drops?.drop.includes('nft') === false ? 'iptables-legacy' : 'iptables';
  const look = `${evidence[0] ?? ''}: look at what would decide there under that condition`;
  return fail({ expected, actual: evidence[0] ?? '', evidence: lines, hint: drops ? hint(plan, tool) : { look } });
}

const notes = ({ facts }: Case): string[] =>
  facts.here.sysctls[bridgeNfSetting] === undefined
    ? ['bridge-nf 1 was not tried: this kernel has no br_netfilter, so there is no such condition']
    : [];

const lookAt = (tool: string): string =>
  `what FORWARD accepts when its policy is DROP (${tool} -S FORWARD): each direction needs a rule`;

const name = (which: (typeof containers)[number]) => (plan: Plan) => plan[which].name;
const to = (which: (typeof containers)[number], where: string) => (plan: Plan) => `${name(which)(plan)} to ${where}`;
const between = (from: Container, there: Container): string => `${from.name} to ${there.name}`;
const lookupOf = (which: (typeof containers)[number]) => (plan: Plan) => `the name lookup of ${name(which)(plan)}`;
const published = (who: string, at: string) => (plan: Plan) => `${who} to ${at}:${plan.hostPort}`;

const groups = {
  connectivity: {
    what: 'the containers reach each other',
    paths: {
      'ct1>ct2': ({ ct1, ct2 }) => between(ct1, ct2),
      'ct2>ct1': ({ ct1, ct2 }) => between(ct2, ct1),
    },
    hint: ({ bridge }, tool) => ({
      look: lookAt(tool),
      wrong: `With bridge-nf 1 FORWARD also judges what passes from one port of ${bridge} to another, and no rule accepts it.`,
      mend: `${tool} -A FORWARD -i ${bridge} -o ${bridge} -j ACCEPT`,
    }),
  },
  egress: {
    what: 'both containers reach the internet',
    paths: {
      'ct1>internet': to('ct1', 'the internet (ping)'),
      'ct1>site': to('ct1', 'the internet (port 80)'),
      'ct2>internet': to('ct2', 'the internet (ping)'),
      'ct2>site': to('ct2', 'the internet (port 80)'),
    },
    hint: ({ bridge }, tool) => ({
      look: lookAt(tool),
      wrong: `Rules accept a part of what passes between ${bridge} and ${world.uplink.name} in FORWARD, and not all of it.`,
      mend: `${tool} -A FORWARD -i ${bridge} -j ACCEPT\n${tool} -A FORWARD -o ${bridge} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT`,
    }),
  },
  dns: {
    what: 'both containers look up names',
    paths: { 'ct1 lookup': lookupOf('ct1'), 'ct2 lookup': lookupOf('ct2') },
    hint: ({ bridge }, tool) => ({
      look: lookAt(tool),
      wrong: `FORWARD accepts other packets between ${bridge} and ${world.uplink.name}, and not the questions to port 53 and their answers.`,
      mend: `${tool} -A FORWARD -i ${bridge} -j ACCEPT\n${tool} -A FORWARD -o ${bridge} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT`,
    }),
  },
  publish: {
    what: 'the published port is reached',
    paths: {
      'outside>uplink': published('an outside client', world.uplink.address),
      'host>uplink': published('the lab host', world.uplink.address),
      'host>loopback': published('the lab host', '127.0.0.1'),
      'host>server': ({ ct1, containerPort }) => `the lab host to ${ct1.address}:${containerPort}`,
    },
    hint: ({ ct1, containerPort }, tool) => ({
      look: lookAt(tool),
      wrong: `No rule of FORWARD accepts what comes for ${ct1.address}:${containerPort}, or what it answers.`,
      mend: [
        `${tool} -A FORWARD -p tcp -d ${ct1.address} --dport ${containerPort} -j ACCEPT`,
        `${tool} -A FORWARD -p tcp -s ${ct1.address} --sport ${containerPort} -j ACCEPT`,
      ].join('\n'),
    }),
  },
} satisfies Record<string, Group>;

const checkOf = (chapter: keyof typeof groups, title: string, needs: string[]): Check => {
  const group: Group = groups[chapter];
  const probes = Object.keys(group.paths) as ProbeId[];
  return {
    id: `${chapter}.conditions`,
    chapter,
    title: () => title,
    needs,
    probes,
    copies: probes,
    sources: ['root iptables'],
    judge: (the) => judge(the, group),
  };
};

/** An enslaved uplink may work for as long as the lab host remembers its neighbours (ARP), which no copy does. */
const beyond = ['bridge.uplink'];

/**
 * 05 to 08 again, under conditions that the learner did not choose: in disposable copies of the lab host's namespaces
 * (agent/copy.py). A copy that is not exact, or that under the lab host's own condition shows something else
 * than the lab host, proves nothing: `error`, never `pass`.
 */
export const conditions: Check[] = [
  checkOf('connectivity', 'The containers reach each other whatever the policy of FORWARD and bridge-nf', [
    'connectivity.ct1-ct2',
    'connectivity.ct2-ct1',
  ]),
  checkOf('egress', 'The containers reach the internet whatever the policy of FORWARD and bridge-nf', [
    ...beyond,
    'egress.ct1',
    'egress.ct2',
    'egress.masquerade',
  ]),
  checkOf('dns', 'The containers look up names whatever the policy of FORWARD and bridge-nf', [
    ...beyond,
    'dns.ct1',
    'dns.ct2',
  ]),
  checkOf('publish', 'The published port is reached whatever the policy of FORWARD and bridge-nf', [
    ...beyond,
    'publish.outside',
    'publish.host-address',
    'publish.loopback',
  ]),
];
