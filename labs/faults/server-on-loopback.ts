import type { Fault } from '@handwired/course';
import { startServer } from '../08-publish/chapter.ts';
import { stopListeners, startServerOn } from './parts.ts';

export const fault: Fault = {
  id: 'server-on-loopback',
  title: 'The server listens on the loopback of its container only.',
  level: 1,
  needs: 'publish',
  excludes: ['server-stopped'],
  cause: 'server-on-loopback',
  symptoms: ['publish.server'],
  inject: ({ ct1, containerPort }) => [
    stopListeners(ct1, containerPort, '127.0.0.1'),
    startServerOn(ct1, { port: containerPort, address: '127.0.0.1' }),
  ],
  repair: (plan) => [stopListeners(plan.ct1, plan.containerPort, '0.0.0.0'), startServer(plan)],
  explanation:
    "A program that listens on 127.0.0.1 receives only what comes through lo of its own namespace. A translated request comes through the container's link, to the container's address, and is refused.",
};
