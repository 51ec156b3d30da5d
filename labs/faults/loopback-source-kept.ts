import { appendRule, type Fault } from '@handwired/course';
import { createPublishRules } from '../08-publish/chapter.ts';
import { rewriteRules } from './parts.ts';

export const fault: Fault = {
  id: 'loopback-source-kept',
  title: 'What the lab host sends from 127.0.0.1 keeps that source.',
  level: 3,
  needs: 'publish',
  excludes: [],
  cause: 'loopback-source-untranslated',
  symptoms: ['publish.loopback'],
  inject: ({ bridge }) => [
    rewriteRules('nat', `-A .*-o ${bridge} .*--src-type LOCAL .*-j MASQUERADE`, { delete: true }),
  ],
  repair: (plan) => [appendRule(createPublishRules(plan).source)],
  explanation:
    'The request arrives in the container from 127.0.0.1. For the container that address is itself, so its answer never leaves it. The source must be translated too when the packet goes into the bridge.',
};
