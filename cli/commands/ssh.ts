import { runRemote } from './exec.ts';

/**
 * An interactive root shell on the lab host; returns its exit status. With a terminal on stdin it gets a pty of the
 * terminal's size and every key; without one it is a plain shell that reads commands from stdin, as with ssh(1).
 * The terminal is put back however this ends. Throws LabError as `runExec` does.
 */
export function runSsh(context: { signal: AbortSignal }, name: string): Promise<number> {
  return runRemote(context, name, { line: undefined, shown: 'root shell', tty: process.stdin.isTTY });
}
