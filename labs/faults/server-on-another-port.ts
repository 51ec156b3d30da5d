import type { Fault } from '@handwired/course';
import { startServer } from '../08-publish/chapter.ts';
import { stopListeners, startServerOn } from './parts.ts';

export const fault: Fault = {
  id: 'server-on-another-port',
  title: 'The server listens on another port than the one that is published.',
  level: 1,
  needs: 'publish',
  excludes: ['server-stopped', 'server-on-loopback'],
  cause: 'server-missing',
  symptoms: ['publish.server'],
  inject: ({ ct1, containerPort }) => [
    startServerOn(ct1, { port: 8000, address: '0.0.0.0' }),
    stopListeners(ct1, containerPort),
  ],
  repair: (plan) => [stopListeners(plan.ct1, 8000), startServer(plan)],
  explanation:
    'A server runs, and answers on a port of its own choosing; http.server takes 8000 when it is told none. At the published one the kernel of the container refuses.',
};
