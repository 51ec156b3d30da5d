import type { Command } from './script.ts';

/** How long a change may take to show after its command has returned: `tries` of `pause` seconds, 5 s. */
const wait = { tries: 100, pause: 0.05 };

/**
 * One line on stdout for each command that ran; what the commands print goes to stderr. Only one such script at a time:
 * /run itself is the lock (flock(1)), so there is no lock file, and what a command leaves running does not hold it.
 */
const opening = `exec 9< /run
flock -w 30 9 || { echo 'another build or undo is still at work on this lab host' >&2; exit 75; }`;

/**
 * A step for one round trip, in POSIX sh: each command runs only if its state is not there yet, and the script ends when
 * it is. So it can be cut off anywhere and run again.
 */
export function guarded(commands: readonly Command[]): string {
  return [opening, ...commands.map(oneOf)].join('\n');
}

/** Those of the commands that ran, by what their script wrote to stdout; none: there was nothing to do. */
export function ranOf(commands: readonly Command[], stdout: string): Command[] {
  const lines = new Set(stdout.split('\n'));
  return commands.filter((_command, i) => lines.has(`ran ${i}`));
}

function oneOf(command: Command, i: number): string {
  const { done, before, when, after } = command;
  if (!done) return runOf(command, i);
  return lines(
    `if ! { ${done.cmd}; } > /dev/null 2>&1; then`,
    before && `{ ${before.cmd}; } || exit`,
    when ? `if { ${when.cmd}; } > /dev/null 2>&1; then\n${runOf(command, i)}\nfi` : runOf(command, i),
    after && `{ ${after.cmd}; } || exit`,
    waitOf(command, done.cmd),
    'fi',
  );
}

/** The lock's descriptor is closed for what the command starts. */
const runOf = ({ run }: Command, i: number): string => `echo ran ${i}\n( ${run.cmd}\n) 9<&- >&2 || exit`;

function waitOf({ run, repeat }: Command, done: string): string {
  return lines(
    'n=0',
    `until { ${done}; } > /dev/null 2>&1; do`,
    `n=$((n + 1)); [ $n -le ${wait.tries} ] || { echo 'it had no effect' >&2; exit 75; }`,
    repeat ? `( ${run.cmd}\n) 9<&- >&2 || exit` : `sleep ${wait.pause}`,
    'done',
  );
}

const lines = (...some: (string | undefined)[]): string => some.filter((line) => line !== undefined).join('\n');
