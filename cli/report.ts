import { EXIT, LabError, messageOf, type ExitCode } from '@handwired/host';
import { CommanderError } from 'commander';
import { printable } from './printable.ts';

/** The reason of an abort by a signal: SIGINT, SIGTERM or SIGHUP. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
}

/** Prints what stopped a command as three short lines on stderr and gives its exit code. LAB_DEBUG=1: the stack too. */
export function report(thrown: unknown, command: string, resume: string | undefined): ExitCode {
  const trouble = explain(thrown, command, resume);
  const lines = [`lab: ${trouble.message}`];
  if (trouble.where) lines.push(`  where: ${trouble.where}`);
  lines.push(`  next:  ${trouble.next}`);
  process.stderr.write(`${lines.map(printable).join('\n')}\n`);
  if (process.env.LAB_DEBUG) console.error(thrown);
  return trouble.exit;
}

/** Anything thrown as the one error that users see. */
function explain(thrown: unknown, command: string, resume: string | undefined): LabError {
  const cause = findInterruption(thrown);
  if (cause) {
    const next = resume ?? `lab ${command} --help`;
    return new LabError({
      what: `interrupted (${cause.message})`,
      where: `lab ${command}`,
      next,
      exit: EXIT.interrupted,
    });
  }
  if (thrown instanceof LabError) return thrown;
  if (thrown instanceof CommanderError) return usage(thrown, command);
  const known = system[(thrown as NodeJS.ErrnoException | undefined)?.code ?? ''];
  const where = (thrown as NodeJS.ErrnoException | undefined)?.path ?? `lab ${command}`;
  if (known) return new LabError({ ...known, where, cause: thrown });
  const what = `this is a fault of lab's own: ${messageOf(thrown)}`;
  return new LabError({ what, where, next: `LAB_DEBUG=1 lab ${command}`, cause: thrown });
}

/** errno(3) names that a user can do something about. */
const system: Record<string, { what: string; next: string } | undefined> = {
  ENOSPC: { what: 'no space left on the disk', next: 'lab image prune' },
  EDQUOT: { what: 'the disk quota is used up', next: 'lab image prune' },
  EROFS: { what: 'this file system is read-only', next: 'export XDG_STATE_HOME=A_FOLDER_YOU_CAN_WRITE' },
  EACCES: { what: 'not allowed to use this file', next: 'export XDG_STATE_HOME=A_FOLDER_YOU_CAN_WRITE' },
  ENOMEM: { what: 'this machine has no memory left', next: 'lab status' },
};

/** Commander's own message, on one line, as a usage error. */
function usage(error: CommanderError, command: string): LabError {
  const bare = error.code === 'commander.help';
  const text = error.message
    .replace(/^error: /, '')
    .replace(/\s*\n\s*/g, ' ')
    .replace('Did you', 'did you');
  const typed = `lab ${command}`.trim();
  return new LabError({ what: bare ? `${typed} wants a command` : text, next: `${typed} --help`, exit: EXIT.usage });
}

/** The interruption in a chain of causes: libraries wrap an abort's reason in errors of their own. */
function findInterruption(thrown: unknown): Interrupted | undefined {
  for (let at = thrown, depth = 0; at instanceof Error && depth < 10; at = at.cause, depth += 1) {
    if (at instanceof Interrupted) return at;
  }
  return undefined;
}
