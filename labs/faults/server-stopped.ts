import type { Fault } from '@handwired/course';
import { startServer } from '../08-publish/chapter.ts';
import { stopListeners } from './parts.ts';

export const fault: Fault = {
  id: 'server-stopped',
  title: 'No server runs in the container.',
  level: 1,
  needs: 'publish',
  excludes: [],
  cause: 'server-missing',
  symptoms: ['publish.server'],
  inject: ({ ct1, containerPort }) => [stopListeners(ct1, containerPort)],
  repair: (plan) => [startServer(plan)],
  explanation:
    "Everything on the way is right. The request arrives in the container, and the container's kernel refuses it because no program listens on that port.",
};
