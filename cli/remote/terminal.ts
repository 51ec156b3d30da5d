import { run } from '@handwired/host';

const screenOf = () => [process.stdout, process.stderr].find((stream) => stream.isTTY);

/** The terminal's size and kind, as a remote pty wants them. 80 x 24 where no stream of ours is a terminal. */
export function terminalSize(): { rows: number; columns: number; term: string } {
  const { rows, columns } = screenOf() ?? { rows: 24, columns: 80 };
  return { rows, columns, term: process.env.TERM ?? 'xterm' };
}

/** Calls `resize` with each new size of the terminal; returns what ends that. */
export function followSize(resize: (rows: number, columns: number) => void): () => void {
  const screen = screenOf();
  const tell = (): void => {
    const { rows, columns } = terminalSize();
    resize(rows, columns);
  };
  screen?.on('resize', tell);
  return () => void screen?.off('resize', tell);
}

/**
 * Gives every key to the program that reads stdin, and every byte of ours to the screen as it is: no line editing, no
 * signals from Ctrl-C, Ctrl-Z, Ctrl-\\. The returned function puts the terminal back; so does any end of this process
 * but kill -9.
 */
export async function rawMode(): Promise<() => void> {
  if (!process.stdin.isTTY) return () => undefined;
  const restore = (): void => {
    process.stdin.setRawMode(false);
    process.off('exit', restore);
  };
  process.on('exit', restore);
  process.stdin.setRawMode(true);
  // libuv's raw mode still turns \n into \r\n (uv_tty_set_mode, tty.c), which the remote terminal has done already: it
  // breaks full-screen programs. Its restore gives this back too.
  const tty = `/proc/${process.pid}/fd/0`;
  await run(['stty', '-F', tty, '-opost'], { allowFailure: true }).catch(() => undefined);
  return restore;
}
