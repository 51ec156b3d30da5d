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
    "A server runs and answers, but on another port. http.server takes port 8000 when no port is given. At the published port the container's kernel refuses the connection.",
};
