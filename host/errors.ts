/** Exit codes of every command. 64 and 78 are those of sysexits(3); docs/architecture.md has the table. */
export const EXIT = {
  ok: 0,
  failed: 1,
  nothing: 2,
  fault: 3,
  usage: 64,
  config: 78,
  interrupted: 130,
} as const;

/** One of the exit codes. */
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/**
 * The code by which a program tells errors apart. An error that no program has to recognize has no code.
 *
 * - `unreachable`: no ssh server of the lab host answered. It may not be up yet, or `lab up` may mend it.
 * - `broken`: the lab host answered, but it is not as it was made. Waiting does not help; only a reset does.
 */
export type ErrorCode = 'unreachable' | 'broken';

/** What the user reads when something stops: what happened, where, and the next command to type. */
export interface Trouble {
  what: string;
  where?: string;
  next: string;
  /** Default: EXIT.fault. */
  exit?: ExitCode;
  code?: ErrorCode;
  cause?: unknown;
}

/** The only error that is shown without a stack trace. Programs tell such errors apart by `code`, not by their text. */
export class LabError extends Error {
  override readonly name = 'LabError';
  readonly where: string | undefined;
  readonly next: string;
  readonly exit: ExitCode;
  readonly code: ErrorCode | undefined;

  constructor(trouble: Trouble) {
    super(trouble.what, { cause: trouble.cause });
    this.where = trouble.where;
    this.next = trouble.next;
    this.exit = trouble.exit ?? EXIT.fault;
    this.code = trouble.code;
  }
}

/** Whether a thrown value is a LabError with this code. */
export const hasCode = (thrown: unknown, code: ErrorCode): thrown is LabError =>
  thrown instanceof LabError && thrown.code === code;

/** The message of a thrown value: its first line. */
export function readMessage(thrown: unknown): string {
  const text = thrown instanceof Error ? thrown.message : String(thrown);
  return text.split('\n')[0] ?? '';
}

/** The error of one of our shell scripts, read from its stderr by `parseScriptError`. */
export interface ScriptError {
  /** Without the final full stop; empty when the script wrote nothing. */
  what: string;
  /** The command that repairs it; undefined when the script named none. */
  next: string | undefined;
}

/** Our scripts write no longer line than this, in characters. Longer text comes from another program and is cut. */
const LONGEST_SCRIPT_LINE = 300;

/**
 * Reads the error of a shell script of ours from its stderr. A script that knows the next command to type ends with the
 * line `WHAT. Next: COMMAND`, which a person can also read as it is (`lab ssh` shows it). The last line of that form
 * counts. Without such a line, `what` is the last line.
 */
export function parseScriptError(stderr: string): ScriptError {
  const lines = stderr.trim().split('\n');
  const line = lines.findLast((each) => scriptLine.test(each)) ?? lines.at(-1) ?? '';
  const [, what = line, next] = scriptLine.exec(line) ?? [];
  return { what: what.slice(0, LONGEST_SCRIPT_LINE), next: next?.slice(0, LONGEST_SCRIPT_LINE) };
}

const scriptLine = /^(.*?)\. Next: (\S.*)$/;
