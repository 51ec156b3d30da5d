import { netnsOf } from '../../checks/look.ts';
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
];
