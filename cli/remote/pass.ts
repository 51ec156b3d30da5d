import { finished } from 'node:stream/promises';
import type { Readable } from 'node:stream';
import { LabError, type RemoteEnd, type RemoteProcess } from '@handwired/host';
import { statusOfSignal } from './signals.ts';

/**
 * Connects this process's stdin, stdout and stderr to a remote command's, as bytes and with backpressure, until it has
 * ended and its output is written. Returns its exit status; 128 + n when it ended by signal n. `where` is for errors.
 */
export async function passThrough(remote: RemoteProcess, where: string, next: string): Promise<number> {
  const { stdin, stdout, stderr } = process;
  const broken = Promise.withResolvers<number>();
  // As with a local pipeline: what writes to a pipe that nobody reads is ended by SIGPIPE.
  stdout.on('error', () => {
    remote.kill('PIPE');
    remote.stdout.resume();
    broken.resolve(statusOfSignal('SIGPIPE'));
  });
  remote.stdout.pipe(stdout, { end: false });
  remote.stderr.pipe(stderr, { end: false });
  stdin.on('error', () => remote.stdin.end());
  stdin.pipe(remote.stdin);
  try {
    const ended = Promise.all([remote.ended, read(remote.stdout), read(remote.stderr)]);
    const status = ended.then(([end]) => statusOf(end, where, next));
    return await Promise.race([status, broken.promise]);
  } finally {
    stdin.unpipe(remote.stdin);
    // Whatever still waits in our stdin is the next program's.
    stdin.pause();
  }
}

const read = (stream: Readable): Promise<void> => finished(stream, { writable: false });

function statusOf({ code, signal }: RemoteEnd, where: string, next: string): number {
  if (code !== null) return code;
  if (signal !== null) return statusOfSignal(signal);
  throw new LabError({ what: 'the lab host ended the command without an exit status', where, next });
}
