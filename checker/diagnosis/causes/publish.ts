import { world } from '@handwired/host';
import type { Case } from '../../checks/check.ts';
import { askedAt, sightsOf } from '../../checks/trace.ts';
import type { Cause, Finding } from '../cause.ts';
import { command, deleteRule } from '../commands.ts';
import {
  byNative,
  type Chain,
  dnat,
  lacking,
  portRules,
  request,
  shown,
  target,
  translated,
  translatedWithout,
} from '../dnat.ts';
import { mayEndAt, type Walk } from '../walk.ts';

const reaching = ['publish.outside', 'publish.host-address', 'publish.loopback'];

const chainOf = (walk: Walk): Chain => (walk.path.packet && walk.probe === 'outside>uplink' ? 'PREROUTING' : 'OUTPUT');
const addressed = (walk: Walk): string => (walk.probe === 'host>loopback' ? '127.0.0.1' : world.uplink.address);

/** Where the path's request should be translated, and may have been lost there. */
function atTranslation(walk: Walk): Chain | undefined {
  const chain = chainOf(walk);
  return walk.probe !== undefined && mayEndAt(walk, chain, false) ? chain : undefined;
}

function other(
  the: Case,
  walk: Walk,
  test: (to: { address: string; port: string }) => string | undefined,
): Finding | undefined {
  const chain = chainOf(walk);
  const fate = translated(the, chain, request(the, chain, addressed(walk)));
  if (walk.probe === undefined || !fate?.rule || fate.to === undefined || fate.to === target(the)) return undefined;
  const [address = '', port = String(the.plan.hostPort)] = fate.to.split(':');
  const why = test({ address, port });
  if (why === undefined) return undefined;
  const wrong = portRules(the).filter(({ words }) => words.includes(fate.to ?? ''));
  return {
    seen: [`${shown(fate.rule)} of ${fate.chain} takes the request`],
    wrong: why,
    mend: [
      ...wrong.map(deleteRule),
      ...[...new Set(wrong.map((rule) => rule.chain))].map((name) => dnat(the, name as Chain)),
    ],
  };
}

/** 08: the published port. */
export const publish: Cause[] = [
  {
    id: 'dnat-wrong-address',
    hop: 'PREROUTING',
    explains: reaching,
    structural: true,
    detect: (the, walk) =>
      other(the, walk, ({ address }) =>
        address === the.plan.ct1.address
          ? undefined
          : `Port ${the.plan.hostPort} is translated to ${address}; ${the.plan.ct1.name} has ${the.plan.ct1.address}.`,
      ),
  },
  {
    id: 'dnat-wrong-port',
    hop: 'PREROUTING',
    explains: reaching,
    structural: true,
    detect: (the, walk) =>
      other(
        the,
        walk,
        ({ port }) =>
          `Port ${the.plan.hostPort} is translated to port ${port} of ${the.plan.ct1.name}; the server listens on ${the.plan.containerPort}.`,
      ),
  },
  {
    id: 'dnat-takes-all',
    hop: 'PREROUTING',
    explains: ['publish.transit', 'publish.outgoing'],
    structural: true,
    detect: (the, walk) => {
      const { plan, evidence } = the;
      if (walk.probe === undefined) return undefined;
      const taken = askedAt(evidence, walk.probe, { in: plan.ct1.name, way: 'in', target: plan.ct1.address });
      if (!taken) return undefined;
      const chain: Chain = walk.path.containers.length > 0 ? 'PREROUTING' : 'OUTPUT';
      const ours = portRules(the).filter((rule) => !rule.words.includes('LOCAL'));
      const own = new Set(ours.map((rule) => rule.chain));
      const still = (name: Chain): boolean => translatedWithout(the, name, ours);
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
                  .map((name) => dnat(the, name)),
              ],
      };
    },
  },
  {
    id: 'dnat-wrong-protocol',
    hop: 'PREROUTING',
    explains: reaching,
    structural: true,
    detect: (the, walk) => {
      const chain = atTranslation(walk);
      if (!chain || translated(the, chain, request(the, chain, addressed(walk)))) return undefined;
      const rules = portRules(the).filter(({ words }) => words[words.indexOf('-p') + 1] !== 'tcp');
      const first = rules.find((rule) => rule.chain === chain);
      if (!first) return undefined;
      return {
        seen: [`${shown(first)} is the only translation of port ${the.plan.hostPort} in ${chain}`],
        wrong: `Port ${the.plan.hostPort} is translated for ${first.words[first.words.indexOf('-p') + 1] ?? 'another protocol'}; HTTP is TCP.`,
        mend: [...rules.map(deleteRule), ...rules.map((rule) => dnat(the, rule.chain as Chain))],
      };
    },
  },
  {
    id: 'dnat-not-in-output',
    hop: 'OUTPUT',
    explains: ['publish.host-address', 'publish.loopback'],
    detect: (the, walk) => {
      const chain = atTranslation(walk);
      if (chain !== 'OUTPUT' || byNative(the, 'output') || lacking(the).includes('PREROUTING')) return undefined;
      if (translated(the, 'OUTPUT', request(the, 'OUTPUT', addressed(walk)))) return undefined;
      return {
        seen: [`PREROUTING of nat translates port ${the.plan.hostPort}, OUTPUT does not`],
        wrong: `PREROUTING never sees locally generated packets: what the lab host sends itself passes OUTPUT, where no rule translates port ${the.plan.hostPort}.`,
        mend: [dnat(the, 'OUTPUT')],
      };
    },
  },
  {
    id: 'dnat-not-in-prerouting',
    hop: 'PREROUTING',
    explains: ['publish.outside'],
    detect: (the, walk) => {
      const chain = atTranslation(walk);
      if (chain !== 'PREROUTING' || byNative(the, 'prerouting')) return undefined;
      const found = lacking(the);
      if (found.includes('OUTPUT') || !found.includes('PREROUTING')) return undefined;
      return {
        seen: [`OUTPUT of nat translates port ${the.plan.hostPort}, PREROUTING does not`],
        wrong: `The lab host itself takes the request: what comes from outside passes PREROUTING, where nothing translates port ${the.plan.hostPort} to ${the.plan.ct1.name}.`,
        mend: [dnat(the, 'PREROUTING')],
      };
    },
  },
  {
    id: 'port-held-by-another',
    hop: 'PREROUTING',
    explains: reaching,
    structural: true,
    detect: (the, walk) => {
      const { facts, plan, evidence } = the;
      if (walk.probe === undefined || !evidence.results[walk.probe]?.ok) return undefined;
      const held = facts.here.sockets.filter(({ protocol, port }) => protocol === 'tcp' && port === plan.hostPort);
      if (held.length === 0 || sightsOf(evidence, walk.probe, { in: plan.ct1.name, way: 'in' }).length > 0)
        return undefined;
      const names = held.map(
        ({ program, address, port }) => `${program ?? 'a program'} listens on ${address}:${port} of the lab host`,
      );
      return {
        seen: [...names, `an answer came, and nothing arrived in ${plan.ct1.name}`],
        wrong: `Something else answers: ${names.join(', ')}.`,
        mend: [command('fuser', '-sk', `${plan.hostPort}/tcp`), ...lacking(the).map((chain) => dnat(the, chain))],
      };
    },
  },
  {
    id: 'dnat-missing',
    hop: 'PREROUTING',
    explains: reaching,
    structural: true,
    detect: (the, walk) => {
      const chain = atTranslation(walk);
      if (!chain || lacking(the).length < 2 || byNative(the, 'prerouting') || byNative(the, 'output')) return undefined;
      if (the.facts.here.sockets.some(({ protocol, port }) => protocol === 'tcp' && port === the.plan.hostPort))
        return undefined;
      return {
        seen: [
          `no chain of nat translates port ${the.plan.hostPort}`,
          `no program on the lab host listens on ${the.plan.hostPort}`,
        ],
        wrong: `The lab host itself refuses it: nothing translated port ${the.plan.hostPort} to ${the.plan.ct1.name}, and no program on the lab host listens there.`,
        mend: [dnat(the, 'PREROUTING'), dnat(the, 'OUTPUT')],
      };
    },
  },
];
