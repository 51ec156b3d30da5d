import type { Readable, Writable } from 'node:stream';
import type { Endpoint } from './endpoint.ts';

/** One ssh connection to a lab host. Commands run as root, by its /bin/sh. */
export interface Session {
  /** Runs a command line, or an argv that is quoted for sh, and returns its bounded output. */
  exec(command: string | readonly string[], options?: ExecOptions): Promise<ExecResult>;
  /** A command, or with undefined the login shell, whose stdio is passed through as it comes. */
  stream(command: string | undefined, options?: StreamOptions): Promise<RemoteProcess>;
  close(): void;
}

export interface ExecOptions {
  input?: string | Uint8Array;
  /** Default 30 000. On expiry: LabError, and the remote process group is sent SIGTERM. */
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
  /** Gives the command a terminal of that size; stderr then comes with stdout. */
  pty?: { rows: number; columns: number; term: string };
  /** Aborts waiting for a free channel; a command that has begun is ended by `kill`. */
  signal?: AbortSignal;
}

/** How a remote command ended; `code` null: by `signal`, or without any status. */
export interface RemoteEnd {
  code: number | null;
  signal: string | null;
}

export interface RemoteProcess {
  stdin: Writable;
  /** Both end by themselves when the command has ended, also when the connection is lost: `ended` tells which. */
  stdout: Readable;
  stderr: Readable;
  resize(rows: number, columns: number): void;
  /** Sends the command's process group a signal (name without SIG). Without effect on a command with a pty. */
  kill(signal: string): void;
  /** Gives up on it: SIGTERM, then its channel is closed. Settles when the signal has arrived, at most 1 s later. */
  close(): Promise<void>;
  /**
   * Settles when the command has ended and all it wrote before has come, not when its background children close
   * their pipes. Rejects with LabError when the connection is lost before that.
   */
  ended: Promise<RemoteEnd>;
}

export interface ConnectOptions {
  /** Until authenticated; default 10 000. */
  timeoutMs?: number;
  signal?: AbortSignal;
}

export type Connect = (endpoint: Endpoint, options?: ConnectOptions) => Promise<Session>;

/**
 * Connects to a lab host by its pinned host key and the lab's own ed25519 key.
 * Throws LabError with code `unreachable` when it does not answer, with code `broken` when it shows another host key or
 * refuses ours; rethrows the abort reason.
 * ssh2 is loaded here and not before: commands that need no lab host stay fast.
 */
export const connect: Connect = async (endpoint, options) => {
  const { connectOverSsh } = await import('./session-ssh.ts');
  return connectOverSsh(endpoint, options);
};
