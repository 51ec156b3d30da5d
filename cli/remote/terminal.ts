/** The terminal's size and kind, as a remote pty wants them. 80 x 24 where no stream of ours is a terminal. */
export function terminalSize(): { rows: number; columns: number; term: string } {
  const screen = [process.stdout, process.stderr].find((stream) => stream.isTTY);
  const { rows, columns } = screen ?? { rows: 24, columns: 80 };
  return { rows, columns, term: process.env.TERM ?? 'xterm' };
}

/** Calls `resize` at each SIGWINCH; returns what ends that. */
export function followSize(resize: (rows: number, columns: number) => void): () => void {
  const tell = (): void => {
    // Node learns of a new size from the stream, not from the signal.
    for (const stream of [process.stdout, process.stderr]) if (stream.isTTY) stream._refreshSize();
    const { rows, columns } = terminalSize();
    resize(rows, columns);
  };
  process.on('SIGWINCH', tell);
  return () => void process.off('SIGWINCH', tell);
}

/**
 * Gives every key to the program that reads stdin: no line editing, no signals from Ctrl-C, Ctrl-Z, Ctrl-\.
 * The returned function puts the terminal back; so does any end of this process but kill -9.
 */
export function rawMode(): () => void {
  if (!process.stdin.isTTY) return () => undefined;
  const restore = (): void => {
    process.stdin.setRawMode(false);
    process.off('exit', restore);
  };
  process.on('exit', restore);
  process.stdin.setRawMode(true);
  return restore;
}
