import { connect, LabError, loadEndpoint, loadSpec, type LabSpec, type Session } from '@handwired/host';
import type { Context } from '../context.ts';

export interface OpenLab {
  spec: LabSpec;
  session: Session;
}

/** Opens one ssh session to a ready lab for the length of some work. No answer from its lab host: `lab up` mends that. */
export async function withSession<T>(name: string, context: Context, work: (lab: OpenLab) => Promise<T>): Promise<T> {
  const spec = await loadSpec(name);
  const endpoint = await loadEndpoint(name);
  const session = await connect(endpoint, { signal: context.signal }).catch((error: unknown) => {
    if (!(error instanceof LabError) || !error.next.startsWith('lab status')) throw error;
    throw new LabError({ what: error.message, where: error.where ?? name, next: `lab up ${name}`, cause: error });
  });
  try {
    return await work({ spec, session });
  } finally {
    session.close();
  }
}
