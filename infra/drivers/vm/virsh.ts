import { quote, run, type RunResult } from '@handwired/host';

/** Bounds of a virsh call. */
export interface VirshOptions {
  signal?: AbortSignal;
  /** Default 15 000. */
  timeoutMs?: number;
  allowFailure?: boolean;
}

/** Calls virsh. Its output is at most 64 MiB. Throws as `run` does. */
export function virsh(uri: string, args: readonly string[], options: VirshOptions = {}): Promise<RunResult> {
  return run(['virsh', '-q', '-c', uri, ...args], {
    timeoutMs: 15_000,
    next: 'lab doctor',
    ...options,
  });
}

/** The trimmed output of a virsh call; empty when it failed. For calls that fail when the object does not exist. */
export async function askVirsh(uri: string, args: readonly string[], options: VirshOptions = {}): Promise<string> {
  const { code, stdout } = await virsh(uri, args, { ...options, allowFailure: true });
  return code === 0 ? stdout.trim() : '';
}

/** Why no VM can be made at a URI, and a command that shows or changes it. */
export interface Silence {
  why: string;
  next: string;
}

/** Asks for a libvirt daemon with QEMU at a URI; undefined when one answers within the time. Throws only an abort's reason. */
export async function findSilence(uri: string, timeoutMs: number, signal?: AbortSignal): Promise<Silence | undefined> {
  const scheme = /^(\w+)[+:]/.exec(uri)?.[1];
  if (scheme !== undefined && scheme !== 'qemu') return notQemu(`${scheme} is another hypervisor`);
  try {
    const asked = { timeoutMs, allowFailure: true, ...(signal && { signal }) };
    const { code, stdout, stderr } = await virsh(uri, ['version', '--daemon'], asked);
    if (code !== 0) return readSilence(uri, stderr);
    const api = /^Using API: (\S+)/m.exec(stdout)?.[1] ?? 'QEMU';
    return api === 'QEMU' ? undefined : notQemu(`${api} answers`);
  } catch (error) {
    signal?.throwIfAborted();
    const missing = error instanceof Error && error.message.endsWith('is not installed');
    if (missing) return { why: 'virsh is not installed here', next: 'lab setup vm' };
    return { why: `nothing came within ${timeoutMs / 1000} s`, next: askAgain(uri) };
  }
}

const askAgain = (uri: string): string => `virsh -c ${quote(uri)} version`;

const notQemu = (why: string): Silence => ({
  why: `labs run on QEMU, and ${why}`,
  next: 'lab up   (without --uri: on this machine)',
});

/** What virsh says of each reason, and the command that shows it. `it`: the name or path in what virsh said. */
const reasons: [said: RegExp, read: (it: string, uri: string) => Silence][] = [
  [
    /resolve (?:hostname|address) '?([^:'\s]+)/,
    (it) => ({ why: `no machine is named ${it}`, next: `getent hosts ${quote(it)}` }),
  ],
  [
    /socket to '([^']+)': No such file or directory/,
    (it) => ({
      why: `there is no socket ${it}: libvirtd is not installed or does not run`,
      next: `ls -l ${quote(it)}`,
    }),
  ],
  [
    /socket to '([^']+)': Permission denied/,
    (it) => ({ why: `you may not use its socket ${it}`, next: `ls -l ${quote(it)}; id` }),
  ],
  [
    /(Permission denied \(|Host key verification failed|authentication (?:failed|unavailable))/,
    (it, uri) => ({ why: `it did not let us in (${it.replace(' (', '')})`, next: askAgain(uri) }),
  ],
  [
    /(?:server at|socket to|connect to host) '?(\S+?(?: port \d+)?)'?: Connection refused/,
    (it, uri) => ({ why: `${it} refused the connection: nothing listens there`, next: askAgain(uri) }),
  ],
  [/(Cannot read \S+ certificate '[^']+'|Unable to parse URI .*)/, (it, uri) => ({ why: it, next: askAgain(uri) })],
];

/** The reason in virsh's own words, from its stderr; what is not known is passed on as it is. */
export function readSilence(uri: string, stderr: string): Silence {
  for (const [said, read] of reasons) {
    const it = said.exec(stderr)?.[1];
    if (it !== undefined) return read(it, uri);
  }
  const last = stderr.trim().split('\n').at(-1) ?? '';
  return { why: last.replace(/^error: /, '').slice(0, 300) || 'virsh gave no reason', next: askAgain(uri) };
}
