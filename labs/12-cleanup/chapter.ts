import { type Chapter, planCommands } from '@handwired/course';

/**
 * The last chapter. It has one step for each chapter that builds something, the last one first. The step runs all
 * undo commands of that chapter.
 */
export const cleanupAfter = (others: readonly Chapter[]): Chapter => ({
  id: 'cleanup',
  number: '12',
  title: 'The host as it was',
  needs: [],
  points: 10,
  steps: others
    .toReversed()
    .flatMap(({ id, cleanup, steps }) =>
      cleanup
        ? [{ id, ...cleanup, build: (plan) => steps.toReversed().flatMap(({ undo }) => planCommands(undo, plan)) }]
        : [],
    ),
});
