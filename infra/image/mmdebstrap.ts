import { LabError, run, type RunOptions } from '@handwired/host';
import { asRoot } from '../user-namespace.ts';
import type { Inputs } from './inputs.ts';

/**
 * A prefix for a command. When our process ends in any way, the command's whole process tree ends (PR_SET_PDEATHSIG in
 * prctl(2)). The end of a PID namespace's first process ends all others, and the mounts end with the mount namespace.
 */
export const untilWeEnd = (): string[] => [
  ...asRoot(),
  ...'setpriv --pdeathsig KILL -- unshare --mount --pid --fork --kill-child --mount-proc --'.split(' '),
];

/**
 * Makes a root of the inputs' release with mmdebstrap, as root. `target` is a folder or, with --format, a file. `options`
 * are mmdebstrap's. LabError: it failed, and why.
 */
export async function makeRoot(
  target: string,
  { sources, architecture }: Pick<Inputs, 'sources' | 'architecture'>,
  options: readonly string[],
  settings: RunOptions & { next: string },
): Promise<void> {
  const argv = [
    'mmdebstrap',
    '--mode=root',
    `--architectures=${architecture}`,
    ...sources.aptOptions.map((option) => `--aptopt=${option}`),
    ...options,
    sources.suite,
    target,
    ...sources.lines,
  ];
  const { code, stderr } = await run([...untilWeEnd(), ...argv], { ...settings, allowFailure: true });
  if (code === 0) return;
  throw new LabError({
    what: `mmdebstrap failed: ${findReason(stderr)}`,
    where: sources.lines.join(', '),
    next: settings.next,
    cause: new Error(stderr.slice(-4000)),
  });
}

/** Errors that only say that something failed: what it was stands above them. */
const wrapper = /^E: (mmdebstrap failed|command failed|apt-get .* failed$|received eof|setup failed|run_)/;

/**
 * Why mmdebstrap failed, from its stderr: apt's first two errors, and which key was missing. Where nobody gave a reason
 * as an `E:` line, as a hook does not, the last words before the first of them.
 */
export function findReason(stderr: string): string {
  const lines = stderr.split('\n').filter((line) => line.trim() !== '');
  const key = lines.filter((line) => line.startsWith('W: GPG error')).slice(0, 1);
  const errors = lines.filter((line) => line.startsWith('E: ') && !wrapper.test(line)).slice(0, 2);
  const first = lines.findIndex((line) => wrapper.test(line));
  const last = lines.slice(0, first < 0 ? undefined : first).at(-1) ?? lines.at(-1) ?? 'it said nothing';
  const said = errors.length > 0 ? [...key, ...errors] : [last];
  return said
    .map((line) => line.replace(/^[EW]: /, ''))
    .join('; ')
    .slice(0, 500);
}
