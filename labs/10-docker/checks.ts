import {
  type Case,
  type ChapterChecks,
  fail,
  type Judgement,
  type Link,
  findLink,
  findNetns,
  describeOutcome,
  pass,
  findResult,
  findSights,
  describeWay,
} from '@handwired/checker/checks';
import { dockerHost } from '@handwired/host';

const { netns, bridge, address } = dockerHost;

const where = `ip netns pids ${netns} | xargs ps -o pid,args -p; ip -n ${netns} addr; docker ps`;

const isDaemon = (command: string): boolean => /^(\S*\/)?dockerd( |$)/.test(command);

function daemon({ facts }: Case): Judgement {
  const expected = `dockerd runs in the network namespace ${netns}, and nothing of Docker is in the lab host's own`;
  const no = (actual: string, wrong?: string): Judgement =>
    fail({ expected, actual, hint: { where, ...(wrong === undefined ? {} : { wrong }) } });
  const strayed = "It was started in the lab host's own namespace, where it mixed its rules with yours.";
  if (findLink(facts.here.links, bridge)) return no(`the lab host itself has a ${bridge}`, strayed);
  if (!findNetns(facts, netns)) return no(`there is no network namespace ${netns}`);
  const found = facts.processes.filter(({ command }) => isDaemon(command));
  if (found.some((one) => one.netns === netns)) return pass({ expected, actual: 'so it does' });
  const others = found.map((one) => `one runs in ${one.netns ?? 'a namespace without a name'}`);
  return no(others.join(', ') || "no dockerd runs in a namespace other than the lab host's");
}

const isPlugged = ({ kind, master, peer, carrier }: Link): boolean =>
  kind === 'veth' && master === bridge && carrier && peer !== null && peer.nsid !== null;

function container({ facts }: Case): Judgement {
  const expected = `a cable leads from ${bridge}, which has an address, into a container`;
  const net = findNetns(facts, netns)?.net;
  if (!net) return { verdict: 'error', expected, reason: `${netns} could not be entered` };
  const no = (actual: string): Judgement => fail({ expected, actual, hint: { where } });
  const link = findLink(net.links, bridge);
  if (link?.kind !== 'bridge') return no(`there is no bridge ${bridge} in ${netns}`);
  const own = link.addresses.find(({ family }) => family === 'inet');
  if (!own || !link.up) return no(`${bridge} is down, or has no address`);
  const ports = net.links.filter(isPlugged).map(({ name }) => name);
  if (ports.length === 0) return no(`no running container is on ${bridge}`);
  return pass({ expected, actual: `${ports.join(', ')} on ${bridge}, ${own.address}/${own.prefix}` });
}

/** Docker's server answered, or something else did that has the port: what passed docker0 tells. */
function published({ evidence, plan }: Case): Judgement {
  const result = findResult(evidence, 'host>docker');
  const expected = `a server answers, and the request is seen leaving ${netns} by ${bridge}`;
  const lines = describeWay(evidence, 'host>docker');
  const where = `docker ps; ip netns exec ${netns} iptables -t nat -S; curl http://${address}:${plan.hostPort}/`;
  if (!result.ok) return fail({ expected, actual: describeOutcome(result), evidence: lines, hint: { where } });
  const asked = { in: netns, device: bridge, way: 'out', what: 'request' } as const;
  const sight = findSights(evidence, 'host>docker', asked)[0];
  if (sight) {
    const actual = `${describeOutcome(result)} by ${sight.target}:${sight.targetPort}, asked by ${sight.source}`;
    return pass({ expected, actual, evidence: lines });
  }
  const hint = { where, wrong: `Something else than a container answers on ${address}:${plan.hostPort}.` };
  return fail({ expected, actual: `answered, but nothing left by ${bridge}`, evidence: lines, hint });
}

/** 10: the learner's own Docker, separate from the network they built, publishes the plan's port. */
export const grading: ChapterChecks = {
  isBegun: ({ facts }) => facts.namespaces.some(({ name }) => name === dockerHost.netns),
  checks: [
    {
      id: 'docker.daemon',
      title: () => `dockerd runs in the network namespace ${netns}`,
      needs: [],
      probes: [],
      judge: daemon,
    },
    {
      id: 'docker.container',
      title: () => `A container runs on ${bridge}`,
      needs: ['docker.daemon'],
      probes: [],
      judge: container,
    },
    {
      id: 'docker.published',
      title: (plan) => `The lab host reaches it at ${address}:${plan.hostPort}`,
      needs: ['docker.container'],
      probes: ['host>docker'],
      weight: 2,
      judge: published,
    },
  ],
};
