import { connect, loadEndpoint, quoteAll, type RemoteProcess } from '@handwired/host';
import { passThrough } from '../remote/pass.ts';
import { catchSignals, statusOfSignal, type Caught } from '../remote/signals.ts';
import { followSize, rawMode, terminalSize } from '../remote/terminal.ts';

export interface ExecFlags {
  /** Gives the command a terminal, as `ssh -t` does. Only with a terminal on our stdin. */
  tty?: boolean;
}

/** So often Ctrl-C is passed on; then we stop waiting for a command that ignores it. */
const PATIENCE = 3;

/**
 * Runs a command as root on the lab host and returns its exit status, 128 + n when signal n ended it. One word alone is
 * a command line for /bin/sh; several are a program and its arguments, passed as they are. stdin, stdout and stderr pass
 * through as bytes; SIGINT, SIGTERM, SIGHUP and SIGQUIT go to the command's process group. We end when the command has
 * ended: what it left in the background keeps running. When our process is killed the command gets SIGHUP.
 * Throws LabError when there is no such lab, it does not answer, or the connection is lost meanwhile.
 */
export async function runExec(
  context: { signal: AbortSignal },
  name: string,
  argv: readonly string[],
  flags: ExecFlags = {},
): Promise<number> {
  const [only = ''] = argv;
  const line = argv.length === 1 ? only : `exec ${quoteAll(argv)}`;
  return runRemote(context, name, { line, shown: argv.join(' '), tty: flags.tty === true && process.stdin.isTTY });
}

export interface RemoteCommand {
  /** undefined: the login shell. */
  line: string | undefined;
  /** How errors name it. */
  shown: string;
  tty: boolean;
}

/** Runs one command, or the login shell, with our stdio. See `runExec` and `runSsh`. */
export async function runRemote(
  context: { signal: AbortSignal },
  name: string,
  { line, shown, tty }: RemoteCommand,
): Promise<number> {
  const endpoint = await loadEndpoint(name);
  const stop = new AbortController();
  const signals = new SignalPath(stop);
  const release = catchSignals((signal) => signals.take(signal));
  try {
    const signal = AbortSignal.any([stop.signal, context.signal]);
    const session = await connect(endpoint, { signal });
    try {
      const remote = await session.stream(line, { signal, ...(tty ? { pty: terminalSize() } : {}) });
      signals.to(remote, tty);
      const restore = tty ? await takeTerminal(remote) : () => undefined;
      const status = passThrough(remote, shown, `lab status ${name}`).finally(restore);
      return await signals.unlessGivenUp(status);
    } finally {
      session.close();
    }
  } catch (error) {
    if (stop.signal.aborted && error === stop.signal.reason) return signals.status;
    throw error;
  } finally {
    release();
  }
}

async function takeTerminal(remote: RemoteProcess): Promise<() => void> {
  const restore = await rawMode();
  const unfollow = followSize((rows, columns) => remote.resize(rows, columns));
  return () => {
    unfollow();
    restore();
  };
}

/** Where a signal of ours goes: before the command runs it ends us, then it goes to the command. */
class SignalPath {
  readonly #stop: AbortController;
  readonly #giveUp = Promise.withResolvers<number>();
  #remote: RemoteProcess | undefined;
  #tty = false;
  #interrupts = 0;
  #givenUp = false;
  status = statusOfSignal('SIGINT');

  constructor(stop: AbortController) {
    this.#stop = stop;
  }

  /** The command's status; ours when it is not to be waited for any more, even if our farewell ended it. */
  async unlessGivenUp(status: Promise<number>): Promise<number> {
    const first = await Promise.race([status, this.#giveUp.promise]);
    return this.#givenUp ? this.status : first;
  }

  to(remote: RemoteProcess, tty: boolean): void {
    this.#remote = remote;
    this.#tty = tty;
  }

  take(name: Caught): void {
    this.status = statusOfSignal(name);
    if (name === 'SIGINT') this.#interrupts += 1;
    if (!this.#remote) this.#stop.abort();
    // A pty's session ends with its terminal; Ctrl-C is a byte to it and does not come here.
    else if (this.#tty || this.#interrupts > PATIENCE) {
      this.#givenUp = true;
      void this.#remote.close().finally(() => this.#giveUp.resolve(this.status));
    } else this.#remote.kill(name.slice('SIG'.length));
  }
}
