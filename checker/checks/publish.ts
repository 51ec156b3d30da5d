import { world } from '@handwired/host';
import { controls, type ProbeId } from '../probes/list.ts';
import { type Case, type Check, fail, type Judgement, pass } from './check.ts';
import { netnsOf, routed } from './look.ts';
import { blind, forwardDrops, outcomeOf, resultOf, sightsOf, wayOf, worldIsDown } from './trace.ts';

/** Did the request itself, by its token, arrive in ct1 from outside? Whatever answers then, ct1 was reached. */
const arrivals = ({ evidence, plan }: Case, probe: ProbeId) =>
  sightsOf(evidence, probe, { in: plan.ct1.name, way: 'in', what: 'request' }).filter((sight) => sight.device !== 'lo');

function reached(the: Case, probe: ProbeId, why: (the: Case) => string | undefined): Judgement {
  const { evidence, plan } = the;
  const result = resultOf(evidence, probe);
  const expected = `a server answers, and the request is seen arriving in ${plan.ct1.name}`;
  const lines = wayOf(evidence, probe);
  const arrived = arrivals(the, probe)[0];
  if (result.ok && arrived) {
    return pass({ expected, actual: `${outcomeOf(result)}; arrived from ${arrived.source}`, evidence: lines });
  }
  if (!result.ok) return fail({ expected, actual: outcomeOf(result), evidence: lines, hint: why(the) });
  if (blind(evidence, plan.ct1.name))
    return { verdict: 'error', expected, reason: `the capture in ${plan.ct1.name} lost packets` };
  const hint = `Something else answers: ${listeners(the)}.`;
  return fail({ expected, actual: `answered, but nothing arrived in ${plan.ct1.name}`, evidence: lines, hint });
}

function listeners({ facts, plan }: Case): string {
  const found = facts.here.sockets.filter(({ protocol, port }) => protocol === 'tcp' && port === plan.hostPort);
  const names = found.map(
    ({ program, address, port }) => `${program ?? 'a program'} listens on ${address}:${port} of the lab host`,
  );
  return names.join(', ') || 'no program on the lab host listens there';
}

function server(the: Case): Judgement {
  return reached(the, 'host>server', ({ facts, plan }) => {
    const sockets = netnsOf(facts, plan.ct1.name)?.net?.sockets.filter(({ protocol }) => protocol === 'tcp') ?? [];
    const there = sockets.find(({ port }) => port === plan.containerPort);
    if (there?.address.startsWith('127.')) {
      return `The server in ${plan.ct1.name} listens on ${there.address} only; packets come to ${plan.ct1.address}.`;
    }
    if (there)
      return `Something listens on ${there.address}:${there.port} in ${plan.ct1.name}, and does not answer the lab host.`;
    const others = sockets.map(({ address, port }) => `${address}:${port}`).join(', ');
    return `Nothing listens on TCP port ${plan.containerPort} in ${plan.ct1.name}${others ? `; there is ${others}` : ''}.`;
  });
}

/** Rules that name the port, by chain: they explain, they decide nothing. */
function rulesAt({ facts, plan }: Case, chain: string, hook: string): boolean {
  const port = String(plan.hostPort);
  const named = facts.here.iptables.some((table) =>
    table.chains.some((entry) => entry.name === chain && entry.rules.some((rule) => rule.includes(`--dport ${port} `))),
  );
  const native = facts.here.nft.some((table) => {
    const chains = new Set(table.objects.filter((entry) => entry.hook === hook).map((entry) => entry.chain));
    return table.objects.some(
      (entry) => entry.type === 'rule' && chains.has(entry.chain) && entry.text.includes(`:${port}`),
    );
  });
  return named || native;
}

function whyNotFromHost(the: Case, probe: 'host>loopback' | 'host>uplink'): string | undefined {
  const { facts, plan, evidence } = the;
  const onLink = sightsOf(evidence, probe, { in: 'root', device: plan.bridge, way: 'out' })[0];
  if (onLink?.source.startsWith('127.')) {
    return `It goes out of ${plan.bridge} with the source ${onLink.source}, which ${plan.ct1.name} can't answer: it needs translation on its way out, too.`;
  }
  const seen = sightsOf(evidence, probe, { in: plan.ct1.name, way: 'in' });
  if (seen.length > 0) return `It arrives in ${plan.ct1.name}, and the answer does not find its way back.`;
  if (rulesAt(the, 'PREROUTING', 'prerouting') && !rulesAt(the, 'OUTPUT', 'output')) {
    return `PREROUTING never sees locally generated packets: what the lab host sends itself passes OUTPUT, where no rule translates port ${plan.hostPort}.`;
  }
  if (probe !== 'host>loopback' || !rulesAt(the, 'OUTPUT', 'output')) return undefined;
  if (facts.here.sysctls[`net/ipv4/conf/${plan.bridge}/route_localnet`] !== '1') {
    return `OUTPUT translates it, and routing then drops it: a packet from 127.0.0.1 may leave by ${plan.bridge} only with net.ipv4.conf.${plan.bridge}.route_localnet=1.`;
  }
  return undefined;
}

function whyNotFromOutside(the: Case): string | undefined {
  const { evidence, plan, facts } = the;
  const probe = 'outside>uplink';
  if (sightsOf(evidence, probe, { in: plan.ct1.name, way: 'in' }).length > 0) {
    return `It arrives in ${plan.ct1.name}, and the answer does not find its way back.`;
  }
  const came = sightsOf(evidence, probe, { in: 'root', device: world.uplink.name, way: 'in' }).length > 0;
  if (!came) return `It does not arrive at ${world.uplink.name}.`;
  if (resultOf(evidence, probe).errno === 'ECONNREFUSED') {
    return `The lab host itself refuses it: nothing translated port ${plan.hostPort} to ${plan.ct1.name}, and no program on the lab host listens there.`;
  }
  const drops = forwardDrops(facts);
  if (drops)
    return `It ends on the lab host: the policy of ${drops} is DROP, and no rule accepted it on its way to ${plan.ct1.name}.`;
  return undefined;
}

/** A request that only passes by, to the published port's number on another host. */
function untouched(the: Case, probe: 'ct2>site:port' | 'host>site:port', who: string): Judgement {
  const { evidence, plan } = the;
  const expected = `it arrives at ${world.site.address}`;
  if (worldIsDown(evidence)) return { verdict: 'error', expected, reason: 'the world does not answer even itself' };
  const taken = sightsOf(evidence, probe, { in: plan.ct1.name, way: 'in' }).find(
    ({ what }) => what === 'syn' || what === 'request',
  );
  if (taken) {
    return fail({
      expected,
      actual: `it arrived in ${plan.ct1.name}, at ${taken.target}:${taken.targetPort}`,
      evidence: wayOf(evidence, probe),
      hint: `The translation of port ${plan.hostPort} takes every packet to that port, whatever its destination: it must be limited to the lab host's own addresses (--dst-type LOCAL, or fib daddr type local).`,
    });
  }
  const arrived = sightsOf(evidence, probe, { in: 'world', way: 'in' }).find(({ what }) => what === 'syn');
  if (arrived) return pass({ expected, actual: 'so it does', evidence: wayOf(evidence, probe) });
  if (!resultOf(evidence, who === 'ct2' ? 'ct2>site' : 'host>site').ok) {
    return { verdict: 'skipped', expected, unless: 'egress.ct2' };
  }
  const hint = `Port 80 of the same address is reached; something takes port ${plan.hostPort}.`;
  return fail({ expected, actual: outcomeOf(resultOf(evidence, probe)), evidence: wayOf(evidence, probe), hint });
}

/** 08: the container's server at the lab host's port, from everywhere, and no more than that. */
export const publish: Check[] = [
  {
    id: 'publish.server',
    chapter: 'publish',
    title: (plan) => `A server in ${plan.ct1.name} answers on port ${plan.containerPort}`,
    needs: routed('ct1'),
    probes: ['host>server'],
    judge: server,
  },
  {
    id: 'publish.outside',
    chapter: 'publish',
    title: (plan) => `An outside client reaches it at ${world.uplink.address}:${plan.hostPort}`,
    needs: ['publish.server'],
    probes: [...controls, 'outside>uplink'],
    judge: (the) =>
      worldIsDown(the.evidence)
        ? {
            verdict: 'error',
            expected: 'an outside client is answered',
            reason: 'the world does not answer even itself',
          }
        : reached(the, 'outside>uplink', whyNotFromOutside),
  },
  {
    id: 'publish.host-address',
    chapter: 'publish',
    title: (plan) => `The lab host reaches it at ${world.uplink.address}:${plan.hostPort}`,
    needs: ['publish.server'],
    probes: ['host>uplink'],
    judge: (the) => reached(the, 'host>uplink', (one) => whyNotFromHost(one, 'host>uplink')),
  },
  {
    id: 'publish.loopback',
    chapter: 'publish',
    title: (plan) => `The lab host reaches it at 127.0.0.1:${plan.hostPort}`,
    needs: ['publish.server'],
    probes: ['host>loopback'],
    judge: (the) => reached(the, 'host>loopback', (one) => whyNotFromHost(one, 'host>loopback')),
  },
  {
    id: 'publish.transit',
    chapter: 'publish',
    title: (plan) => `${plan.ct2.name} still reaches port ${plan.hostPort} of other hosts`,
    needs: routed('ct2'),
    passNeeds: ['publish.outside'],
    probes: [...controls, 'ct2>site:port', 'ct2>site'],
    judge: (the) => untouched(the, 'ct2>site:port', 'ct2'),
  },
  {
    id: 'publish.outgoing',
    chapter: 'publish',
    title: (plan) => `The lab host still reaches port ${plan.hostPort} of other hosts`,
    needs: [],
    passNeeds: ['publish.outside'],
    probes: [...controls, 'host>site:port'],
    judge: (the) => untouched(the, 'host>site:port', 'host'),
  },
];
