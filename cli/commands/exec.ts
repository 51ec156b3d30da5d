import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import type { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import {
  connect,
  EXIT,
  labDir,
  LabError,
  loadEndpoint,
  quoteAll,
  type RemoteEnd,
  type RemoteProcess,
  run,
} from '@handwired/host';
import type { Command } from 'commander';
import { type Context, type LabCommand, resolveLabName, createNameArgument } from '../command.ts';

/**
 * `lab exec`: runs a command as root on the lab host and gives its exit status, 128 + n when signal n ended it. One word
 * alone is a command line for /bin/sh; several are a program and its arguments, passed as they are. stdin, stdout and
 * stderr pass through as bytes; SIGINT, SIGTERM, SIGHUP and SIGQUIT go to the command's process group. lab ends when the
 * command has ended: what that left in the background keeps running. When lab is killed the command gets SIGHUP.
 */
export const command: LabCommand = {
  example: 'lab exec demo -- ip -br link',
  declare: (command) =>
    command
      .addArgument(createNameArgument())
      .usage('[-t] [name] -- CMD...')
      .option('-t, --tty', 'give the command a terminal')
      .allowExcessArguments(),
  run: runExec,
  passesSignals: () => true,
};

async function runExec(
  context: Context,
  name: string = resolveLabName(),
  { tty = false }: { tty?: boolean },
  { args }: Command,
): Promise<number> {
  const { remote = [] } = context;
  if (args.length > 1) throw createWordsError('lab exec wants its command behind --', args);
  if (remote.join('').trim() === '') throw createWordsError('lab exec wants a command behind --', args);
  const [only = ''] = remote;
  const line = remote.length === 1 ? only : `exec ${quoteAll(remote)}`;
  return runRemote(context, name, { line, shown: remote.join(' '), tty: tty && process.stdin.isTTY });
}

/** A usage error that puts words where they belong in `lab exec`. The first is a lab if there is one of that name. */
export function createWordsError(what: string, words: readonly string[]): LabError {
  const [name = '', ...rest] = words;
  const isLab = name !== '' && existsSync(labDir(name));
  const typed = quoteAll(isLab ? rest : words) || 'ip -br link';
  return new LabError({ what, next: `lab exec${isLab ? ` ${name}` : ''} -- ${typed}`, exit: EXIT.usage });
}

/** A command for a lab host. */
export interface RemoteCommand {
  /** undefined: the login shell. */
  line: string | undefined;
  /** Its name in error messages. */
  shown: string;
  tty: boolean;
}

/**
 * Runs a command, or the login shell, on a lab's lab host with this process's stdio. Returns its exit status. Throws
 * LabError when there is no such lab, when it does not answer, or when the connection is lost meanwhile.
 */
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
      const remote = await session.stream(line, { signal, ...(tty ? { pty: readTerminalSize() } : {}) });
      signals.to(remote, tty);
      const restore = tty ? await takeTerminal(remote) : () => undefined;
      const status = passThrough(remote, shown, `lab status ${name}`).finally(restore);
      return await signals.waitUnlessGivenUp(status);
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
  const restore = await setRawMode();
  const unfollow = followSize((rows, columns) => remote.resize(rows, columns));
  return () => {
    unfollow();
    restore();
  };
}

/** How many times Ctrl-C is passed on to the command. The next one ends lab, in case the command ignores it. */
const MOST_INTERRUPTS = 3;

/** Decides where a signal to lab goes: it ends lab until the command runs, and goes to the command from then on. */
class SignalPath {
  readonly #stop: AbortController;
  readonly #giveUp = Promise.withResolvers<number>();
  #remote: RemoteProcess | undefined;
  #tty = false;
  #interrupts = 0;
  #givenUp = false;
  status = toSignalStatus('SIGINT');

  constructor(stop: AbortController) {
    this.#stop = stop;
  }

  /** Gives the command's status. When lab has stopped waiting for it, gives the status of lab's own signal instead. */
  async waitUnlessGivenUp(status: Promise<number>): Promise<number> {
    const first = await Promise.race([status, this.#giveUp.promise]);
    return this.#givenUp ? this.status : first;
  }

  to(remote: RemoteProcess, tty: boolean): void {
    this.#remote = remote;
    this.#tty = tty;
  }

  take(name: CaughtSignal): void {
    this.status = toSignalStatus(name);
    if (name === 'SIGINT') this.#interrupts += 1;
    if (!this.#remote) this.#stop.abort();
    // Closing the pty ends its session. With a pty, Ctrl-C is sent as a byte and does not come here.
    else if (this.#tty || this.#interrupts > MOST_INTERRUPTS) {
      this.#givenUp = true;
      void this.#remote.close().finally(() => this.#giveUp.resolve(this.status));
    } else this.#remote.kill(name.slice('SIG'.length));
  }
}

/**
 * Connects this process's stdin, stdout and stderr to a remote command's, as bytes and with backpressure, until it has
 * ended and its output is written. Returns its exit status; 128 + n when it ended by signal n. `where` is for errors.
 */
async function passThrough(remote: RemoteProcess, where: string, next: string): Promise<number> {
  const { stdin, stdout, stderr } = process;
  const broken = Promise.withResolvers<number>();
  // As in a local pipeline: a command that writes to a pipe that nobody reads is ended by SIGPIPE.
  stdout.on('error', () => {
    remote.kill('PIPE');
    remote.stdout.resume();
    broken.resolve(toSignalStatus('SIGPIPE'));
  });
  remote.stdout.pipe(stdout, { end: false });
  remote.stderr.pipe(stderr, { end: false });
  stdin.on('error', () => remote.stdin.end());
  stdin.pipe(remote.stdin);
  try {
    const ended = Promise.all([remote.ended, readToEnd(remote.stdout), readToEnd(remote.stderr)]);
    const status = ended.then(([end]) => toExitStatus(end, where, next));
    return await Promise.race([status, broken.promise]);
  } finally {
    stdin.unpipe(remote.stdin);
    // Input that is not read yet is left for the next program.
    stdin.pause();
  }
}

const readToEnd = (stream: Readable): Promise<void> => finished(stream, { writable: false });

function toExitStatus({ code, signal }: RemoteEnd, where: string, next: string): number {
  if (code !== null) return code;
  if (signal !== null) return toSignalStatus(signal);
  throw new LabError({ what: 'the lab host ended the command without an exit status', where, next });
}

/** Signals that a terminal, an init system or a CI runner sends to a command it wants to end. */
const caughtSignals = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const;

type CaughtSignal = (typeof caughtSignals)[number];

/** Gives these signals to `handler` in place of ending this process. Returns a function that undoes that. */
function catchSignals(handler: (name: CaughtSignal) => void): () => void {
  for (const name of caughtSignals) process.on(name, handler);
  return () => {
    for (const name of caughtSignals) process.off(name, handler);
  };
}

/** A shell's exit status for a command that ended by a signal (name with or without SIG): 128 + its number. */
function toSignalStatus(name: string): number {
  const known: Partial<Record<string, number>> = constants.signals;
  return 128 + (known[name] ?? known[`SIG${name}`] ?? 127);
}

const findScreen = () => [process.stdout, process.stderr].find((stream) => stream.isTTY);

/** The terminal's size and kind, as a remote pty wants them. 80 x 24 where no stream of ours is a terminal. */
function readTerminalSize(): { rows: number; columns: number; term: string } {
  const { rows, columns } = findScreen() ?? { rows: 24, columns: 80 };
  return { rows, columns, term: process.env.TERM ?? 'xterm' };
}

/** Calls `resize` with each new size of the terminal. Returns a function that ends that. */
function followSize(resize: (rows: number, columns: number) => void): () => void {
  const screen = findScreen();
  const passSize = (): void => {
    const { rows, columns } = readTerminalSize();
    resize(rows, columns);
  };
  screen?.on('resize', passSize);
  return () => void screen?.off('resize', passSize);
}

/**
 * Sets the terminal to raw mode: every key goes to the program that reads stdin, and every byte to the screen as it is.
 * There is no line editing, and Ctrl-C, Ctrl-Z and Ctrl-\\ send no signals. The returned function puts the terminal back;
 * so does any end of this process but kill -9.
 */
async function setRawMode(): Promise<() => void> {
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
