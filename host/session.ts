import type { Endpoint } from './endpoint.ts';

/** One ssh connection to a lab host. Commands run as root, by the remote user's POSIX sh. */
export interface Session {
  /** Runs a command line, or an argv that is quoted for sh, and returns its bounded output. */
  exec(command: string | readonly string[], options?: ExecOptions): Promise<ExecResult>;
  /** A command whose stdio is passed through as it comes; `pty` gives it a terminal of that size. */
  stream(command: string | undefined, options?: StreamOptions): Promise<RemoteProcess>;
  close(): void;
}

export interface ExecOptions {
  input?: string | Uint8Array;
  /** Default 30 000. On expiry: LabError, and the remote process is signalled. */
  timeoutMs?: number;
  /** Per stream, default 16 MiB. Beyond it: LabError; nothing more is buffered. */
  maxBytes?: number;
  signal?: AbortSignal;
}

export interface ExecResult {
  /** null: ended by a signal, or the lab host closed the channel without a status. */
  code: number | null;
  /** Name without SIG, as in RFC 4254 6.10. */
  signal: string | null;
  /** Invalid UTF-8 becomes U+FFFD. */
  stdout: string;
  stderr: string;
}

export interface StreamOptions {
  pty?: { rows: number; columns: number; term: string };
}

export interface RemoteProcess {
  stdin: NodeJS.WritableStream;
  stdout: NodeJS.ReadableStream;
  stderr: NodeJS.ReadableStream;
  resize(rows: number, columns: number): void;
  /** Name without SIG. */
  kill(signal: string): void;
  /** Settles when the command has ended, not when its background children close their pipes. */
  ended: Promise<{ code: number | null; signal: string | null }>;
}

export interface ConnectOptions {
  /** Until authenticated; default 10 000. */
  timeoutMs?: number;
  signal?: AbortSignal;
}

export type Connect = (endpoint: Endpoint, options?: ConnectOptions) => Promise<Session>;
