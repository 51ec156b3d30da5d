import { netnsOf } from '../../checks/look.ts';
import { sightsOf } from '../../checks/trace.ts';
import type { Cause } from '../cause.ts';
import { command, serve } from '../commands.ts';
import { mayEndAt } from '../walk.ts';

/** 08: the server in ct1. */
export const server: Cause[] = [
  {
    id: 'server-on-loopback',
    hop: 'server',
    explains: ['publish.'],
    detect: (the) => {
      const { ct1, containerPort } = the.plan;
      const sockets = netnsOf(the.facts, ct1.name)?.net?.sockets.filter(({ protocol }) => protocol === 'tcp') ?? [];
      const there = sockets.filter(({ port }) => port === containerPort);
      const only = there[0];
      if (!only || there.some(({ address }) => !address.startsWith('127.') && address !== '[::1]')) return undefined;
      return {
        which: 'ct1',
        seen: [`${only.program ?? 'a program'} listens on ${only.address}:${only.port} in ${ct1.name}`],
        wrong: `The server in ${ct1.name} listens on ${only.address} only; packets come to ${ct1.address}.`,
        mend: [command('ip', 'netns', 'exec', ct1.name, 'fuser', '-sk', `${containerPort}/tcp`), ...serve(the)],
      };
    },
  },
  {
    id: 'server-missing',
    hop: 'server',
    explains: ['publish.'],
    detect: (the, walk) => {
      const { ct1, containerPort } = the.plan;
      const sockets = netnsOf(the.facts, ct1.name)?.net?.sockets.filter(({ protocol }) => protocol === 'tcp') ?? [];
      if (sockets.some(({ port }) => port === containerPort) || !mayEndAt(walk, 'server')) return undefined;
      const others = sockets.map(({ address, port }) => `${address}:${port}`).join(', ');
      return {
        which: 'ct1',
        seen: [others ? `in ${ct1.name} there is a listener on ${others}` : `in ${ct1.name} no program listens on TCP`],
        wrong: `Nothing listens on TCP port ${containerPort} in ${ct1.name}${others ? `; there is ${others}` : ''}.`,
        mend: serve(the),
      };
    },
  },
  {
    id: 'server-silent',
    hop: 'server',
    explains: ['publish.server'],
    structural: true,
    detect: (the, walk) => {
      const { ct1, containerPort } = the.plan;
      const { probe } = walk;
      const socket = netnsOf(the.facts, ct1.name)?.net?.sockets.find(
        ({ protocol, port, address }) => protocol === 'tcp' && port === containerPort && !address.startsWith('127.'),
      );
      if (!socket || probe === undefined || the.evidence.results[probe]?.ok) return undefined;
      // Connected: then what came last was the answer to the first packet, and not its program's.
      if (the.evidence.results[probe]?.stage !== 'reply' && !mayEndAt(walk, 'server')) return undefined;
      const arrived = sightsOf(the.evidence, probe, { in: ct1.name, way: 'in' }).map(({ what }) => what);
      const answered = sightsOf(the.evidence, probe, { in: ct1.name, way: 'out' }).map(({ what }) => what);
      if (!arrived.includes('syn') || answered.includes('rst') || answered.includes('reply')) return undefined;
      return {
        which: 'ct1',
        seen: [
          `${socket.program ?? 'a program'} listens on ${socket.address}:${socket.port} in ${ct1.name}`,
          `in ${ct1.name} arrived: ${[...new Set(arrived)].join(', ')}; no reply left it`,
        ],
        wrong: `The request comes to ${ct1.name}, where ${socket.program ?? 'a program'} (process ${socket.pid ?? 'unknown'}) listens and says nothing: the kernel takes connections in its place, and it does not serve them. Look at its state (ps -o pid,stat,args).`,
        mend: [command('ip', 'netns', 'exec', ct1.name, 'fuser', '-sk', `${containerPort}/tcp`), ...serve(the)],
      };
    },
  },
];
