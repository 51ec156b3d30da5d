import { connect as connectTcp } from 'node:net';
import type { Duplex } from 'node:stream';
import { LabError, loadEndpoint, openPiped, type Endpoint, type LabSpec } from '@handwired/host';

/** How long a lab host that is up may take to greet before it counts as hanging; an emulated one under load is slow. */
const greetingMs = 8_000;

/**
 * Whether sshd greets at the lab host of a ready lab: the first line of RFC 4253 4.2, for which the lab host had to
 * start an sshd. It is the cheap part of a login: no key exchange, which takes a second on an emulated VM. The seat's
 * server is asked where there is one, as it runs already: a third of the time. A lab host that can't be found is not
 * alive either: the driver then makes its endpoint file anew.
 */
export async function isAlive(spec: LabSpec, signal: AbortSignal): Promise<boolean> {
  const endpoint = await loadEndpoint(spec.name).catch((error: unknown) => {
    if (error instanceof LabError) return undefined;
    throw error;
  });
  if (!endpoint) return false;
  const stream = dial(endpoint);
  const limited = AbortSignal.any([signal, AbortSignal.timeout(greetingMs)]);
  const stop = (): void => void stream.destroy(new Error('no greeting in time'));
  limited.addEventListener('abort', stop, { once: true });
  try {
    for await (const chunk of stream) return String(chunk).startsWith('SSH-2.0-');
    return false;
  } catch {
    signal.throwIfAborted();
    return false;
  } finally {
    limited.removeEventListener('abort', stop);
    stream.destroy();
  }
}

function dial({ dial: lab, seat }: Endpoint): Duplex {
  const way = seat && 'dial' in seat.way ? seat.way.dial : lab;
  return 'command' in way ? openPiped(way.command).stream : connectTcp({ host: way.address, port: way.port });
}
