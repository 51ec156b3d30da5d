/** Exit codes of every command; design.md's table, after sysexits(3) for 64 and 78. */
export const EXIT = {
  ok: 0,
  failed: 1,
  nothing: 2,
  fault: 3,
  usage: 64,
  config: 78,
  interrupted: 130,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** What a user must be told when something stops: what happened, where, and the next command to type. */
export interface Trouble {
  what: string;
  where?: string;
  next: string;
  exit?: ExitCode;
  cause?: unknown;
}

/** The one error that reaches a user as text without a stack trace. */
export class LabError extends Error {
  override readonly name = 'LabError';
  readonly where: string | undefined;
  readonly next: string;
  readonly exit: ExitCode;

  constructor(trouble: Trouble) {
    super(trouble.what, { cause: trouble.cause });
    this.where = trouble.where;
    this.next = trouble.next;
    this.exit = trouble.exit ?? EXIT.fault;
  }
}

/** The text of anything thrown, on one line. */
export function messageOf(thrown: unknown): string {
  const text = thrown instanceof Error ? thrown.message : String(thrown);
  return text.split('\n')[0] ?? '';
}

/** Throws what an aborted signal carries; call it between two steps of long work. */
export function stopIfAborted(signal: AbortSignal | undefined): void {
  signal?.throwIfAborted();
}
