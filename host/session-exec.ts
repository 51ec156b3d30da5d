import type { Readable } from 'node:stream';
import { LabError } from './errors.ts';
import type { ExecOptions, ExecResult, RemoteProcess } from './session.ts';

const TIMEOUT_MS = 30_000;
const MAX_BYTES = 16 * 1024 * 1024;

/** Runs what `start` begins to its end and returns its text: bounded in size and time, ended when aborted. */
export async function collect(
  start: (signal: AbortSignal) => Promise<RemoteProcess>,
  options: ExecOptions,
  trouble: { where: string; next: string },
): Promise<ExecResult> {
  const ms = options.timeoutMs ?? TIMEOUT_MS;
  const most = options.maxBytes ?? MAX_BYTES;
  const stop = new AbortController();
  const late = (): void =>
    stop.abort(new LabError({ what: `the command had not ended after ${ms / 1000} s`, ...trouble }));
  const much = (): void =>
    stop.abort(new LabError({ what: `the command wrote more than ${most} bytes to one stream`, ...trouble }));
  const abort = (): void => stop.abort(options.signal?.reason);
  const timer = setTimeout(late, ms);
  options.signal?.addEventListener('abort', abort, { once: true });
  try {
    return await finish(await start(stop.signal), options.input, { most, much, signal: stop.signal });
  } finally {
    clearTimeout(timer);
    options.signal?.removeEventListener('abort', abort);
  }
}

interface Bounds {
  most: number;
  much: () => void;
  signal: AbortSignal;
}

async function finish(process: RemoteProcess, input: string | Uint8Array | undefined, bounds: Bounds) {
  const stdout = gather(process.stdout, bounds);
  const stderr = gather(process.stderr, bounds);
  if (input !== undefined) process.stdin.write(input);
  process.stdin.end();
  const { promise, reject } = Promise.withResolvers<never>();
  const stop = (): void => {
    void process.close().finally(() => reject(bounds.signal.reason as Error));
  };
  if (bounds.signal.aborted) stop();
  bounds.signal.addEventListener('abort', stop, { once: true });
  const end = await Promise.race([process.ended, promise]);
  // A command that was ended by us has not answered, whatever its exit status.
  if (bounds.signal.aborted) await promise;
  return { ...end, stdout: await stdout, stderr: await stderr };
}

function gather(stream: Readable, { most, much }: Bounds): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  stream.on('data', (chunk: Buffer) => {
    if (size > most) return;
    size += chunk.length;
    if (size > most) {
      chunks.length = 0;
      much();
    } else chunks.push(chunk);
  });
  return new Promise((resolve) => stream.once('end', () => resolve(Buffer.concat(chunks).toString('utf8'))));
}
