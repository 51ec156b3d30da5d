import { type Chapter, type ChapterContent, planCommands } from '@handwired/course';

/**
 * The last chapter. It has one step for each chapter before it that builds something, the last one first. The step runs
 * all undo commands of that chapter.
 */
export const chapter = (before: readonly Chapter[]): ChapterContent => ({
  title: 'The host as it was',
  needs: [],
  points: 10,
  steps: before
    .toReversed()
    .flatMap(({ id, cleanup, steps }) =>
      cleanup
        ? [{ id, ...cleanup, build: (plan) => steps.toReversed().flatMap(({ undo }) => planCommands(undo, plan)) }]
        : [],
    ),
});
