import { connect, LabError, loadEndpoint, loadSpec, messageOf, type LabSpec, type Session } from '@handwired/host';
import type { Context } from '../context.ts';

export interface OpenLab {
  spec: LabSpec;
  session: Session;
}

/** Opens one ssh session to a ready lab for the length of some work. A lab host that doesn't answer: what mends it. */
export async function withSession<T>(name: string, context: Context, work: (lab: OpenLab) => Promise<T>): Promise<T> {
  const spec = await loadSpec(name);
  const endpoint = await loadEndpoint(name);
  const session = await connect(endpoint, { signal: context.signal }).catch((error: unknown) => {
    context.signal.throwIfAborted();
    throw new LabError({
      what: `the lab host of ${name} does not answer: ${messageOf(error)}`,
      where: `ssh to ${name} (driver ${spec.driver})`,
      next: `lab up ${name}`,
      cause: error,
    });
  });
  try {
    return await work({ spec, session });
  } finally {
    session.close();
  }
}
