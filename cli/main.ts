/** The `lab` command: its words, streams and signals, and how errors are printed. */
import { setMaxListeners } from 'node:events';
import { EXIT, findWayToWrite, LabError, readMessage, stateDir, type ExitCode } from '@handwired/host';
import { CommanderError } from 'commander';
import { type Context, Interrupted } from './command.ts';
import { createProgram, rewriteHelp } from './registry.ts';
import { createProgress } from './stages.ts';
import { type Output, toPrintable, wantsColor } from './text.ts';

/** Where `lab` writes: process.stdout and process.stderr, or what a test collects from. */
export interface Streams {
  stdout: Output;
  stderr: Output;
}

/** Parses the words behind `lab`, runs the command and reports its error. Returns the exit code; throws nothing. */
export async function runLab(argv: readonly string[], streams: Streams): Promise<number> {
  dropEmptyVariables(process.env);
  const controller = new AbortController();
  watchOutput(controller, streams);
  const { own, remote } = splitRemote(argv);
  const context = createContext(controller.signal, remote, streams);
  let running = '';
  let exit: number = EXIT.ok;
  const program = createProgram(context, {
    onFound: (words) => void (running = words),
    onStart: (passesSignals) => {
      if (!passesSignals) stopOnSignals(controller, streams.stderr);
    },
    onEnd: (code) => void (exit = code),
  });
  try {
    await program.parseAsync(rewriteHelp(program, own), { from: 'user' });
    return exit;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return EXIT.ok;
    // This was reported when it happened.
    if (error instanceof OutputLost) return error.exit;
    return reportError(error, running, context.resume, streams.stderr);
  }
}

/** `lab exec NAME -- CMD...`: the words behind `--` are the remote command. lab reads none of them. */
function splitRemote(argv: readonly string[]): { own: readonly string[]; remote: readonly string[] | undefined } {
  const at = argv[0] === 'exec' ? argv.indexOf('--') : -1;
  return at < 0 ? { own: argv, remote: undefined } : { own: argv.slice(0, at), remote: argv.slice(at + 1) };
}

/** The context of a command that writes to these streams. */
function createContext(signal: AbortSignal, remote: Context['remote'], { stdout, stderr }: Streams): Context {
  // Every session, process and stage listens on this one signal; a fleet has more than ten of them.
  setMaxListeners(0, signal);
  return {
    signal,
    stdout,
    progress: createProgress(stderr),
    print: (text) => void stdout.write(`${text}\n`),
    write: (bytes) => void stdout.write(bytes),
    color: wantsColor(stdout, process.env),
    columns: stdout.columns || 100,
    remote,
    resume: undefined,
  };
}

/**
 * On the first signal, asks all work to stop in a state that can be continued. The second signal ends the process at
 * once.
 */
function stopOnSignals(controller: AbortController, stderr: Output): void {
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(name, () => {
      if (controller.signal.aborted) process.exit(EXIT.interrupted);
      if (name === 'SIGINT') stderr.write('\nstopping; Ctrl-C again to stop at once\n');
      controller.abort(new Interrupted(name));
    });
  }
}

/** stdout or stderr can't be written to, as when it is a file on a full disk. */
class OutputLost extends LabError {}

/**
 * Output that nobody reads is dropped: `lab build | head` must not end a build in its middle. Output that can't be
 * written is our error: the work stops. The exit code is set here too, as the work may have ended already.
 */
function watchOutput(controller: AbortController, { stdout, stderr }: Streams): void {
  for (const [where, stream] of Object.entries({ stdout, stderr })) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE' || process.exitCode !== undefined) return;
      process.exitCode = EXIT.fault;
      const lost = new OutputLost({ what: `cannot write to ${where}: ${readMessage(error)}`, next: 'df -h .' });
      reportError(lost, '', undefined, stderr);
      controller.abort(lost);
    });
  }
}

/** An empty LAB_DRIVER counts as none, like every other variable that lab reads. */
function dropEmptyVariables(env: NodeJS.ProcessEnv): void {
  for (const [key, value] of Object.entries(env))
    if (key.startsWith('LAB_') && value === '') Reflect.deleteProperty(env, key);
}

/** Prints an error as three short lines on stderr and returns its exit code. LAB_DEBUG=1 adds the stack. */
function reportError(thrown: unknown, command: string, resume: string | undefined, stderr: Output): ExitCode {
  const trouble = explainError(thrown, command, resume);
  const lines = [`lab: ${trouble.message}`];
  if (trouble.where) lines.push(`  where: ${trouble.where}`);
  lines.push(`  next:  ${trouble.next}`);
  stderr.write(`${lines.map(toPrintable).join('\n')}\n`);
  if (process.env.LAB_DEBUG) console.error(thrown);
  return trouble.exit;
}

/** Turns anything that was thrown into an error that a user can read. */
function explainError(thrown: unknown, command: string, resume: string | undefined): LabError {
  const where = `lab ${command}`;
  const interruption = findInterruption(thrown);
  if (interruption) {
    const what = `interrupted (${interruption.message})`;
    return new LabError({ what, where, next: resume ?? `lab ${command} --help`, exit: EXIT.interrupted });
  }
  if (thrown instanceof LabError) return thrown;
  if (thrown instanceof CommanderError) return explainUsage(thrown, command);
  const { code = '', path } = (thrown ?? {}) as NodeJS.ErrnoException;
  const known = systemErrors[code];
  if (known !== undefined) {
    const next = code === 'ENOMEM' ? 'lab status' : findWayToWrite(path ?? stateDir(), thrown);
    return new LabError({ what: known, where: path ?? where, next, cause: thrown });
  }
  const what = `this is an error in lab itself: ${readMessage(thrown)}`;
  return new LabError({ what, where: path ?? where, next: `LAB_DEBUG=1 lab ${command}`, cause: thrown });
}

/** Errors of errno(3) that a user can do something about. */
const systemErrors: Record<string, string | undefined> = {
  ENOSPC: 'no space left on the disk',
  EDQUOT: 'the disk quota is used up',
  EROFS: 'this file system is read-only',
  EACCES: 'not allowed to use this file',
  ENOMEM: 'this machine has no memory left',
};

/** Commander's own message, on one line, as a usage error. */
function explainUsage(error: CommanderError, command: string): LabError {
  const isBare = error.code === 'commander.help';
  const text = error.message
    .replace(/^error: /, '')
    .replace(/\s*\n\s*/g, ' ')
    .replace('Did you', 'did you');
  const typed = `lab ${command}`.trim();
  return new LabError({ what: isBare ? `${typed} wants a command` : text, next: `${typed} --help`, exit: EXIT.usage });
}

/** Finds the interruption in a chain of causes, because libraries wrap an abort's reason in errors of their own. */
function findInterruption(thrown: unknown): Interrupted | undefined {
  for (let at = thrown, depth = 0; at instanceof Error && depth < 10; at = at.cause, depth += 1) {
    if (at instanceof Interrupted) return at;
  }
  return undefined;
}

// lab.sh starts this file. Who imports it calls runLab with streams of its own.
if (process.argv[1] === import.meta.filename) {
  const exit = await runLab(process.argv.slice(2), { stdout: process.stdout, stderr: process.stderr });
  // When both streams are drained the process ends, so that a library's idle socket does not keep it alive.
  await Promise.all([process.stdout, process.stderr].map((stream) => new Promise((done) => stream.write('', done))));
  process.exit(process.exitCode ?? exit);
}
