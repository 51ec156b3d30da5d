import {
  connect,
  type Endpoint,
  hasCode,
  LabError,
  loadEndpoint,
  loadSpec,
  type LabSpec,
  type OpenSeat,
  openSeat,
  type Session,
} from '@handwired/host';
import type { Context } from '../context.ts';

export interface OpenLab {
  spec: LabSpec;
  session: Session;
}

/** Opens one ssh session to a ready lab for the length of some work. No answer from its lab host: `lab up` mends that. */
export async function withSession<T>(name: string, context: Context, work: (lab: OpenLab) => Promise<T>): Promise<T> {
  const spec = await loadSpec(name);
  const session = await opened(name, (endpoint) => connect(endpoint, { signal: context.signal }));
  try {
    return await work({ spec, session });
  } finally {
    session.close();
  }
}

/** The same with the grader's seat. */
export async function withSeat<T>(
  name: string,
  context: Context,
  work: (lab: { spec: LabSpec; seat: OpenSeat }) => Promise<T>,
): Promise<T> {
  const spec = await loadSpec(name);
  const seat = await opened(name, (endpoint) => openSeat(endpoint, { signal: context.signal }));
  try {
    return await work({ spec, seat });
  } finally {
    seat.close();
  }
}

async function opened<T>(name: string, open: (endpoint: Endpoint) => Promise<T>): Promise<T> {
  const endpoint = await loadEndpoint(name);
  return open(endpoint).catch((error: unknown) => {
    if (!hasCode(error, 'unreachable')) throw error;
    throw new LabError({ what: error.message, where: error.where ?? name, next: `lab up ${name}`, cause: error });
  });
}
