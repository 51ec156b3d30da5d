import type { Command } from '../script.ts';

/** Programs that are no part of every Linux, with the packages that have them: on Debian and Ubuntu, on Fedora. */
const packages: Record<string, string> = {
  ip: 'iproute2, on Fedora iproute',
  bridge: 'iproute2, on Fedora iproute',
  ss: 'iproute2, on Fedora iproute',
  ping: 'iputils-ping, on Fedora iputils',
  sysctl: 'procps, on Fedora procps-ng',
  pgrep: 'procps, on Fedora procps-ng',
  ps: 'procps, on Fedora procps-ng',
  cmp: 'diffutils',
  python3: 'python3',
  setsid: 'util-linux',
  flock: 'util-linux',
};

/** Those that some commands run, and those that the script itself does. */
export function packagesOf(commands: readonly Command[]): [tool: string, where: string][] {
  const texts = commands.flatMap(({ run, done, before, when, after }) => [run, done, before, when, after]);
  const all = texts.map((text) => text?.cmd ?? '').join('\n');
  const used = (tool: string): boolean => new RegExp(`(^|[\\s;|&({])${tool} `, 'm').test(all);
  return Object.entries(packages).filter(([tool]) => tool === 'ip' || tool === 'flock' || used(tool));
}
