import { connect as connectTcp } from 'node:net';
import type { Endpoint } from './endpoint.ts';
import { messageOf } from './errors.ts';
import { openPiped } from './process.ts';

/**
 * Why no ssh server greets there in time; undefined: one does. A greeting is the first line of RFC 4253 4.2, for which
 * the lab host had to start an sshd with its host key. It is the cheap part of a login: no key exchange, which takes a
 * second on an emulated VM. Rethrows the abort reason.
 */
export async function noGreeting(
  way: Endpoint['dial'],
  { timeoutMs, signal }: { timeoutMs: number; signal: AbortSignal },
): Promise<string | undefined> {
  const { stream, lastWords } =
    'command' in way
      ? openPiped(way.command)
      : { stream: connectTcp({ host: way.address, port: way.port }), lastWords: () => Promise.resolve('') };
  const limited = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
  const stop = (): void => void stream.destroy(new Error(`no greeting in ${timeoutMs / 1000} s`));
  limited.addEventListener('abort', stop, { once: true });
  try {
    for await (const chunk of stream)
      return String(chunk).startsWith('SSH-2.0-') ? undefined : 'something answers that is no ssh server';
    return (await lastWords()).trim() || 'the connection was closed before a greeting';
  } catch (error) {
    signal.throwIfAborted();
    return messageOf(error);
  } finally {
    limited.removeEventListener('abort', stop);
    stream.destroy();
  }
}
