import { run, type RunResult } from '@handwired/host';

export interface VirshOptions {
  signal?: AbortSignal;
  /** Default 15 000. */
  timeoutMs?: number;
  allowFailure?: boolean;
}

/** One virsh call: at most 64 MiB of text, in English whatever the user's locale. */
export function virsh(uri: string, args: readonly string[], options: VirshOptions = {}): Promise<RunResult> {
  return run(['virsh', '-q', '-c', uri, ...args], {
    env: { LC_ALL: 'C' },
    timeoutMs: 15_000,
    next: 'lab doctor',
    ...options,
  });
}

/** A call whose failure means no: the object is not there. */
export async function virshSays(uri: string, args: readonly string[], options: VirshOptions = {}): Promise<string> {
  const { code, stdout } = await virsh(uri, args, { ...options, allowFailure: true });
  return code === 0 ? stdout.trim() : '';
}

/** Whether a libvirt daemon answers at the URI within the time. */
export async function answers(uri: string, timeoutMs: number, signal?: AbortSignal): Promise<boolean> {
  try {
    const { code } = await virsh(uri, ['version', '--daemon'], {
      timeoutMs,
      allowFailure: true,
      ...(signal && { signal }),
    });
    return code === 0;
  } catch {
    signal?.throwIfAborted();
    return false; // No virsh here, or no answer in time.
  }
}
