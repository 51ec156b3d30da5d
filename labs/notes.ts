import { not, sh } from './guards.ts';
import type { Command, Sh, Template } from './script.ts';

/**
 * Where the lab host keeps what was there before a change of ours, one file a change. A note is made whole or not at all,
 * is never made twice, and goes when undo has given its content back; the folder goes with the last one.
 */
export const notesFolder = '/run/handwired-build';

export const noteFile = (name: string): string => `${notesFolder}/${name}`;

const noted = ($: Template, name: string): Sh => $`test -e ${noteFile(name)}`;

/** Writes down what `read` prints, unless it is written down already. */
const note = ($: Template, name: string, read: Sh): Sh => {
  const file = noteFile(name);
  const write = $`> ${file}.new && mv ${file}.new ${file}`.cmd;
  return sh(`mkdir -p ${notesFolder} && { ${noted($, name).cmd} || { ${read.cmd} ${write}; }; }`);
};

const forget = ($: Template, name: string): Sh =>
  sh(`${$`rm -f ${noteFile(name)} ${noteFile(name)}.new`.cmd}; rmdir ${notesFolder} 2>/dev/null || true`);

/** A change whose previous state is written down first. `read` prints what giving it back needs; `when` it is needed. */
export const noting = ($: Template, name: string, read: Sh, change: Command, when = sh('true')): Command => ({
  ...change,
  before: sh(`if ${when.cmd}; then ${note($, name, read).cmd}; fi`),
});

/** Takes a noted change back, if what it changed is still there. Without a note it was not ours: nothing is done. */
export const givingBack = ($: Template, name: string, run: Sh, when = sh('true')): Command => ({
  done: not(noted($, name)),
  when,
  run,
  after: forget($, name),
});

/** Prints lines for sysctl.conf(5), in its form with slashes, where a dot in an interface's name is no separator. */
const readSysctls = (keys: readonly string[]): Sh =>
  sh(`(cd /proc/sys && grep -H . ${keys.join(' ')} | sed 's/:/ = /')`);

/** `sysctl -w KEY=1`. `also` are keys (sh patterns) that the kernel changes along with it. */
export const setSysctl = ($: Template, name: string, key: string, also: readonly string[] = []): Command =>
  noting($, name, readSysctls([key.replaceAll('.', '/'), ...also]), {
    done: $`test "$(sysctl -n ${key})" = 1`,
    run: $`sysctl -w ${key}=1`,
  });

/** Gives back every value noted by `setSysctl`; interfaces that are gone are passed over. */
export const restoreSysctl = ($: Template, name: string): Command =>
  givingBack($, name, $`sysctl -q -e -p ${noteFile(name)}`);
