import { type ChapterId, type Plan, recordOf } from '@handwired/host';
import { chapterOf, sceneOf, textOf, type Way } from './run.ts';
import type { Command, StepText } from './script.ts';

/** A step's texts with its commands for one plan: what guide, diagram and export are made from. */
export interface RecordedStep extends StepText {
  chapter: ChapterId;
  commands: readonly Command[];
}

/** What `build` or `undo` of these chapters would run, without a lab host. `commands[].run.cmd` is the plain command. */
export async function record(way: Way, plan: Plan, chapters: readonly ChapterId[]): Promise<RecordedStep[]> {
  const steps: RecordedStep[] = [];
  for (const id of chapters) {
    const chapter = chapterOf(id);
    const scene = sceneOf(recordOf().$, plan, (step, commands) => {
      steps.push({ ...textOf(chapter, step), chapter: id, commands });
      return Promise.resolve();
    });
    await chapter[way](scene);
  }
  return steps;
}
