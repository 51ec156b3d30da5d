import { sightsOf } from '../../checks/trace.ts';
import type { Cause } from '../cause.ts';
import { command, sysctl } from '../commands.ts';
import { mayEndAt } from '../walk.ts';

/** 08: what the lab host's own requests to 127.0.0.1 need beside the translation. */
export const loopback: Cause[] = [
  {
    id: 'route-localnet-missing',
    hop: 'routing',
    explains: ['publish.loopback'],
    detect: (the, walk) => {
      const key = `net/ipv4/conf/${the.plan.bridge}/route_localnet`;
      const all = 'net/ipv4/conf/all/route_localnet';
      if (walk.probe !== 'host>loopback' || !mayEndAt(walk, 'routing', false)) return undefined;
      if ([key, all].some((one) => the.facts.here.sysctls[one] === '1')) return undefined;
      return {
        seen: [`${key} is ${the.facts.here.sysctls[key] ?? 'unknown'}`],
        wrong: `OUTPUT translates it, and routing then drops it: a packet from 127.0.0.1 may leave by ${the.plan.bridge} only with net.ipv4.conf.${the.plan.bridge}.route_localnet=1.`,
        mend: [sysctl(key, '1')],
      };
    },
  },
  {
    id: 'loopback-source-untranslated',
    hop: 'POSTROUTING',
    explains: ['publish.loopback'],
    structural: true,
    detect: (the, walk) => {
      if (walk.probe !== 'host>loopback') return undefined;
      const out = sightsOf(the.evidence, walk.probe, { in: 'root', device: the.plan.bridge, way: 'out' })[0];
      if (!out?.source.startsWith('127.')) return undefined;
      const { bridge, ct1 } = the.plan;
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
