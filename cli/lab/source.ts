import { loadRecord, saveRecord, type Source } from '@handwired/checker';
import { recordFile, type LabSpec, type OpenSeat } from '@handwired/host';
import type { Context } from '../context.ts';
import { loadBaseline } from './baseline.ts';

/** Does work on a lab as it is now and is known from before; what it notes in the record is kept. The caller holds its lock. */
export async function withSource<T>(
  { spec, seat }: { spec: LabSpec; seat: OpenSeat },
  { signal }: Context,
  work: (source: Source) => Promise<T>,
): Promise<T> {
  const { name, plan } = spec;
  const [baseline, record] = [await loadBaseline(name), await loadRecord(recordFile(name))];
  const done = await work({ seat, plan, baseline, record, signal });
  await saveRecord(recordFile(name), record);
  return done;
}
