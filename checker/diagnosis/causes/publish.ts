import { world } from '@handwired/host';
import type { NftTable } from '../../facts/firewall.ts';
import type { Case } from '../../queries/check.ts';
import { command, deleteRule, dnat, serve, sysctl } from '../../queries/commands.ts';
import {
  byNative,
  type Chain,
  findLackingChains,
  portRules,
  request,
  shown,
  target,
  translateRequest,
  translatedWithout,
} from '../../queries/iptables.ts';
import { findNetns } from '../../queries/links.ts';
import { nativeTables } from '../../queries/nftables.ts';
import { findAskedAt, findSights } from '../../queries/sights.ts';
import { mayEndAt, type Walk } from '../../queries/walk.ts';
import type { Cause, Finding } from '../cause.ts';

/** Chapter 08: the server in ct1. */
export const serverCauses: Cause[] = [
  {
    id: 'server-on-loopback',
    hop: 'server',
    explains: ['publish.'],
    detect: (lab) => {
      const { ct1, containerPort } = lab.plan;
      const sockets = findNetns(lab.facts, ct1.name)?.net?.sockets.filter(({ protocol }) => protocol === 'tcp') ?? [];
      const there = sockets.filter(({ port }) => port === containerPort);
      const only = there[0];
      if (!only || there.some(({ address }) => !address.startsWith('127.') && address !== '[::1]')) return undefined;
      return {
        which: 'ct1',
        seen: [`${only.program ?? 'a program'} listens on ${only.address}:${only.port} in ${ct1.name}`],
        wrong: `The server in ${ct1.name} listens on ${only.address} only; packets come to ${ct1.address}.`,
        mend: [command('ip', 'netns', 'exec', ct1.name, 'fuser', '-sk', `${containerPort}/tcp`), ...serve(lab)],
      };
    },
  },
  {
    id: 'server-missing',
    hop: 'server',
    explains: ['publish.'],
    detect: (lab, walk) => {
      const { ct1, containerPort } = lab.plan;
      const sockets = findNetns(lab.facts, ct1.name)?.net?.sockets.filter(({ protocol }) => protocol === 'tcp') ?? [];
      if (sockets.some(({ port }) => port === containerPort) || !mayEndAt(walk, 'server')) return undefined;
      const others = sockets.map(({ address, port }) => `${address}:${port}`).join(', ');
      return {
        which: 'ct1',
        seen: [others ? `in ${ct1.name} there is a listener on ${others}` : `in ${ct1.name} no program listens on TCP`],
        wrong: `Nothing listens on TCP port ${containerPort} in ${ct1.name}${others ? `; there is ${others}` : ''}.`,
        mend: serve(lab),
      };
    },
  },
  {
    id: 'server-silent',
    hop: 'server',
    explains: ['publish.server'],
    structural: true,
    detect: (lab, walk) => {
      const { ct1, containerPort } = lab.plan;
      const { probe } = walk;
      const socket = findNetns(lab.facts, ct1.name)?.net?.sockets.find(
        ({ protocol, port, address }) => protocol === 'tcp' && port === containerPort && !address.startsWith('127.'),
      );
      if (!socket || probe === undefined || lab.evidence.results[probe]?.ok) return undefined;
      // At stage `reply` the connection stands: the kernel answered, and only the program's reply is missing.
      if (lab.evidence.results[probe]?.stage !== 'reply' && !mayEndAt(walk, 'server')) return undefined;
      const arrived = findSights(lab.evidence, probe, { in: ct1.name, way: 'in' }).map(({ what }) => what);
      const answered = findSights(lab.evidence, probe, { in: ct1.name, way: 'out' }).map(({ what }) => what);
      if (!arrived.includes('syn') || answered.includes('rst') || answered.includes('reply')) return undefined;
      return {
        which: 'ct1',
        seen: [
          `${socket.program ?? 'a program'} listens on ${socket.address}:${socket.port} in ${ct1.name}`,
          `in ${ct1.name} arrived: ${[...new Set(arrived)].join(', ')}; no reply left it`,
        ],
        wrong: `The request comes to ${ct1.name}, where ${socket.program ?? 'a program'} (process ${socket.pid ?? 'unknown'}) listens and says nothing: the kernel takes connections in its place, and it does not serve them. Look at its state (ps -o pid,stat,args).`,
        mend: [command('ip', 'netns', 'exec', ct1.name, 'fuser', '-sk', `${containerPort}/tcp`), ...serve(lab)],
      };
    },
  },
];

const reaching = ['publish.outside', 'publish.host-address', 'publish.loopback'];

const findChain = (walk: Walk): Chain =>
  walk.path.packet && walk.probe === 'outside>uplink' ? 'PREROUTING' : 'OUTPUT';
const addressed = (walk: Walk): string => (walk.probe === 'host>loopback' ? '127.0.0.1' : world.uplink.address);

/** The chain that should translate the path's request, if the request may have been lost there. */
function atTranslation(walk: Walk): Chain | undefined {
  const chain = findChain(walk);
  return walk.probe !== undefined && mayEndAt(walk, chain, false) ? chain : undefined;
}

function other(
  lab: Case,
  walk: Walk,
  test: (to: { address: string; port: string }) => string | undefined,
): Finding | undefined {
  const chain = findChain(walk);
  const fate = translateRequest(lab, chain, request(lab, chain, addressed(walk)));
  if (walk.probe === undefined || !fate?.rule || fate.to === undefined || fate.to === target(lab)) return undefined;
  const [address = '', port = String(lab.plan.hostPort)] = fate.to.split(':');
  const why = test({ address, port });
  if (why === undefined) return undefined;
  const wrong = portRules(lab).filter(({ words }) => words.includes(fate.to ?? ''));
  return {
    seen: [`${shown(fate.rule)} of ${fate.chain} takes the request`],
    wrong: why,
    mend: [
      ...wrong.map(deleteRule),
      ...[...new Set(wrong.map((rule) => rule.chain))].map((name) => dnat(lab, name as Chain)),
    ],
  };
}

/** Chapter 08: the published port. */
export const publishCauses: Cause[] = [
  {
    id: 'dnat-wrong-address',
    hop: 'PREROUTING',
    explains: reaching,
    structural: true,
    detect: (lab, walk) =>
      other(lab, walk, ({ address }) =>
        address === lab.plan.ct1.address
          ? undefined
          : `Port ${lab.plan.hostPort} is translated to ${address}; ${lab.plan.ct1.name} has ${lab.plan.ct1.address}.`,
      ),
  },
  {
    id: 'dnat-wrong-port',
    hop: 'PREROUTING',
    explains: reaching,
    structural: true,
    detect: (lab, walk) =>
      other(
        lab,
        walk,
        ({ port }) =>
          `Port ${lab.plan.hostPort} is translated to port ${port} of ${lab.plan.ct1.name}; the server listens on ${lab.plan.containerPort}.`,
      ),
  },
  {
    id: 'dnat-takes-all',
    hop: 'PREROUTING',
    explains: ['publish.transit', 'publish.outgoing'],
    structural: true,
    detect: (lab, walk) => {
      const { plan, evidence } = lab;
      if (walk.probe === undefined) return undefined;
      const taken = findAskedAt(evidence, walk.probe, { in: plan.ct1.name, way: 'in', target: plan.ct1.address });
      if (!taken) return undefined;
      const chain: Chain = walk.path.containers.length > 0 ? 'PREROUTING' : 'OUTPUT';
      const ours = portRules(lab).filter((rule) => !rule.words.includes('LOCAL'));
      const own = new Set(ours.map((rule) => rule.chain));
      const still = (name: Chain): boolean => translatedWithout(lab, name, ours);
      return {
        seen: [
          `a request to ${world.site.address}:${plan.hostPort} arrives in ${plan.ct1.name}, at ${taken.target}:${taken.targetPort}`,
        ],
        wrong: `The translation of port ${plan.hostPort} in ${chain} takes every packet to that port, whatever its destination: it must be limited to the lab host's own addresses (--dst-type LOCAL, or fib daddr type local).`,
        mend:
          ours.length === 0
            ? undefined
            : [
                ...ours.map(deleteRule),
                ...(['PREROUTING', 'OUTPUT'] as const)
                  .filter((name) => own.has(name) && !still(name))
                  .map((name) => dnat(lab, name)),
              ],
      };
    },
  },
  {
    id: 'dnat-wrong-protocol',
    hop: 'PREROUTING',
    explains: reaching,
    structural: true,
    detect: (lab, walk) => {
      const chain = atTranslation(walk);
      if (!chain || translateRequest(lab, chain, request(lab, chain, addressed(walk)))) return undefined;
      const rules = portRules(lab).filter(({ words }) => words[words.indexOf('-p') + 1] !== 'tcp');
      const first = rules.find((rule) => rule.chain === chain);
      if (!first) return undefined;
      return {
        seen: [`${shown(first)} is the only translation of port ${lab.plan.hostPort} in ${chain}`],
        wrong: `Port ${lab.plan.hostPort} is translated for ${first.words[first.words.indexOf('-p') + 1] ?? 'another protocol'}; HTTP is TCP.`,
        mend: [...rules.map(deleteRule), ...rules.map((rule) => dnat(lab, rule.chain as Chain))],
      };
    },
  },
  {
    id: 'dnat-not-in-output',
    hop: 'OUTPUT',
    explains: ['publish.host-address', 'publish.loopback'],
    detect: (lab, walk) => {
      const chain = atTranslation(walk);
      if (chain !== 'OUTPUT' || byNative(lab, 'output') || findLackingChains(lab).includes('PREROUTING'))
        return undefined;
      if (translateRequest(lab, 'OUTPUT', request(lab, 'OUTPUT', addressed(walk)))) return undefined;
      return {
        seen: [`PREROUTING of nat translates port ${lab.plan.hostPort}, OUTPUT does not`],
        wrong: `PREROUTING never sees locally generated packets: what the lab host sends itself passes OUTPUT, where no rule translates port ${lab.plan.hostPort}.`,
        mend: [dnat(lab, 'OUTPUT')],
      };
    },
  },
  {
    id: 'dnat-not-in-prerouting',
    hop: 'PREROUTING',
    explains: ['publish.outside'],
    detect: (lab, walk) => {
      const chain = atTranslation(walk);
      if (chain !== 'PREROUTING' || byNative(lab, 'prerouting')) return undefined;
      const found = findLackingChains(lab);
      if (found.includes('OUTPUT') || !found.includes('PREROUTING')) return undefined;
      return {
        seen: [`OUTPUT of nat translates port ${lab.plan.hostPort}, PREROUTING does not`],
        wrong: `The lab host itself takes the request: what comes from outside passes PREROUTING, where nothing translates port ${lab.plan.hostPort} to ${lab.plan.ct1.name}.`,
        mend: [dnat(lab, 'PREROUTING')],
      };
    },
  },
  {
    id: 'port-held-by-another',
    hop: 'PREROUTING',
    explains: reaching,
    structural: true,
    detect: (lab, walk) => {
      const { facts, plan, evidence } = lab;
      if (walk.probe === undefined || !evidence.results[walk.probe]?.ok) return undefined;
      const held = facts.here.sockets.filter(({ protocol, port }) => protocol === 'tcp' && port === plan.hostPort);
      if (held.length === 0 || findSights(evidence, walk.probe, { in: plan.ct1.name, way: 'in' }).length > 0)
        return undefined;
      const names = held.map(
        ({ program, address, port }) => `${program ?? 'a program'} listens on ${address}:${port} of the lab host`,
      );
      return {
        seen: [...names, `an answer came, and nothing arrived in ${plan.ct1.name}`],
        wrong: `Something else answers: ${names.join(', ')}.`,
        mend: [
          command('fuser', '-sk', `${plan.hostPort}/tcp`),
          ...findLackingChains(lab).map((chain) => dnat(lab, chain)),
        ],
      };
    },
  },
  {
    id: 'dnat-missing',
    hop: 'PREROUTING',
    explains: reaching,
    structural: true,
    detect: (lab, walk) => {
      const chain = atTranslation(walk);
      if (!chain || findLackingChains(lab).length < 2 || byNative(lab, 'prerouting') || byNative(lab, 'output'))
        return undefined;
      if (lab.facts.here.sockets.some(({ protocol, port }) => protocol === 'tcp' && port === lab.plan.hostPort))
        return undefined;
      return {
        seen: [
          `no chain of nat translates port ${lab.plan.hostPort}`,
          `no program on the lab host listens on ${lab.plan.hostPort}`,
        ],
        wrong: `The lab host itself refuses it: nothing translated port ${lab.plan.hostPort} to ${lab.plan.ct1.name}, and no program on the lab host listens there.`,
        mend: [dnat(lab, 'PREROUTING'), dnat(lab, 'OUTPUT')],
      };
    },
  },
];

/** Chapter 08: what the lab host's own requests to 127.0.0.1 need in addition to DNAT. */
export const loopbackCauses: Cause[] = [
  {
    id: 'route-localnet-missing',
    hop: 'routing',
    explains: ['publish.loopback'],
    detect: (lab, walk) => {
      const key = `net/ipv4/conf/${lab.plan.bridge}/route_localnet`;
      const all = 'net/ipv4/conf/all/route_localnet';
      if (walk.probe !== 'host>loopback' || !mayEndAt(walk, 'routing', false)) return undefined;
      if ([key, all].some((one) => lab.facts.here.sysctls[one] === '1')) return undefined;
      return {
        seen: [`${key} is ${lab.facts.here.sysctls[key] ?? 'unknown'}`],
        wrong: `OUTPUT translates it, and routing then drops it: a packet from 127.0.0.1 may leave by ${lab.plan.bridge} only with net.ipv4.conf.${lab.plan.bridge}.route_localnet=1.`,
        mend: [sysctl(key, '1')],
      };
    },
  },
  {
    id: 'loopback-source-untranslated',
    hop: 'POSTROUTING',
    explains: ['publish.loopback'],
    structural: true,
    detect: (lab, walk) => {
      if (walk.probe !== 'host>loopback') return undefined;
      const out = findSights(lab.evidence, walk.probe, { in: 'root', device: lab.plan.bridge, way: 'out' })[0];
      if (!out?.source.startsWith('127.')) return undefined;
      const { bridge, ct1 } = lab.plan;
      return {
        seen: [`${bridge} puts out the source ${out.source}`],
        wrong: `It goes out of ${bridge} with the source ${out.source}, which ${ct1.name} can't answer: it needs translation on its way out, too.`,
        mend: [
          command(
            'iptables',
            '-t',
            'nat',
            '-A',
            'POSTROUTING',
            '-o',
            bridge,
            '-m',
            'addrtype',
            '--src-type',
            'LOCAL',
            '-j',
            'MASQUERADE',
          ),
        ],
      };
    },
  },
];

type NftObject = NftTable['objects'][number];

/** A native nft rule that translates destinations to this address. */
function nativeDnat({ facts }: Case, address: string): { table: NftTable; rule: NftObject } | undefined {
  for (const table of nativeTables(facts.here)) {
    const rule = table.objects.find(
      ({ type, text }) => type === 'rule' && text.includes('"dnat"') && text.includes(`"${address}"`),
    );
    if (rule) return { table, rule };
  }
  return undefined;
}

/** Of two nat chains on one hook, the one with the lower priority comes first, and its translation is final. */
export const shadowCauses: Cause[] = [
  {
    id: 'nft-dnat-first',
    hop: 'PREROUTING',
    explains: ['publish.outside', 'publish.host-address', 'publish.loopback'],
    structural: true,
    detect: (lab, walk) => {
      if (walk.probe === undefined) return undefined;
      const sent = findSights(lab.evidence, walk.probe, { in: 'root', what: 'syn', way: 'out' }).find(
        ({ target: to, targetPort }) => `${to}:${targetPort}` !== target(lab) && targetPort !== lab.plan.hostPort,
      );
      const found = sent && nativeDnat(lab, sent.target);
      if (!sent || !found) return undefined;
      const { table, rule } = found;
      const name = `nft ${table.family} ${table.name} ${rule.chain ?? ''}`;
      return {
        seen: [`${sent.device} puts out the request to ${sent.target}:${sent.targetPort}`, `${name} has ${rule.shown}`],
        wrong: `A native chain translates port ${lab.plan.hostPort} to ${sent.target}:${sent.targetPort} before the nat table of iptables is asked: ${name}, ${rule.shown}. The first translation of a connection holds.`,
        mend:
          rule.chain === null || rule.handle === null
            ? undefined
            : [command('nft', 'delete', 'rule', table.family, table.name, rule.chain, 'handle', rule.handle)],
      };
    },
    where: () =>
      'in which order chains of one hook are asked (priority), and which of them translate: nft list ruleset',
  },
];
