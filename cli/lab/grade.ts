import { grade, type HintLevel, loadRecord, type Report, saveRecord } from '@handwired/checker';
import { recordFile, type ChapterId } from '@handwired/host';
import { chapters } from '@handwired/labs';
import type { Context } from '../context.ts';
import { loadBaseline } from './baseline.ts';
import type { Selection } from './chapters.ts';
import { withSeat } from './session.ts';

/** Grades a lab from its lab host's state and traffic, at the grader's seat; remembers which chapters were seen begun. The caller holds its lock. */
export async function gradeLab(
  name: string,
  { hints, ...selection }: Selection & { hints?: HintLevel },
  context: Context,
): Promise<Report> {
  return withSeat(name, context, async ({ spec, seat }) => {
    const baseline = await loadBaseline(name);
    const record = await loadRecord(recordFile(name));
    const report = await grade({
      seat,
      lab: name,
      driver: spec.driver,
      plan: spec.plan,
      baseline,
      record,
      chapters,
      ...onlySelected(selection),
      hints,
      signal: context.signal,
    });
    await saveRecord(recordFile(name), record);
    return report;
  });
}

function onlySelected({ chapter, through }: Selection): { only?: ChapterId; through?: ChapterId } {
  if (chapter !== undefined) return { only: chapter };
  return through === undefined ? {} : { through };
}
