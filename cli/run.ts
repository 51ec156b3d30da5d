import { CommanderError } from 'commander';
import { EXIT, LabError, messageOf } from '@handwired/host';
import { createContext } from './context.ts';
import { commandOf, helpAsFlag } from './program/find.ts';
import { createProgram, type Hooks } from './program/index.ts';
import { Interrupted, report } from './report.ts';

/** Parses argv (without node and script), runs the command, reports an error. Returns the exit code; throws nothing. */
export async function runLab(argv: readonly string[]): Promise<number> {
  dropEmptyFlags(process.env);
  const controller = new AbortController();
  watchOutput(controller);
  const context = createContext(controller.signal);
  const commandLine = { text: '' };
  const { own, remote } = splitRemote(argv);
  const state = { exit: 0 };
  const hooks: Hooks = {
    onStart: (command, passesSignals) => {
      commandLine.text = command;
      if (!passesSignals) stopOnSignals(controller);
    },
    onEnd: (exit) => void (state.exit = exit),
  };
  const program = createProgram(context, hooks, remote);
  commandLine.text = commandOf(program, own).join(' ');
  try {
    await program.parseAsync(helpAsFlag(program, own), { from: 'user' });
    return state.exit;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return 0;
    // What could not be written was told when it happened.
    if (error instanceof OutputLost) return error.exit;
    return report(error, commandLine.text, context.resume);
  }
}

/** `lab exec NAME -- CMD...`: what stands behind `--` is the remote command, of which nothing is ours to read. */
function splitRemote(argv: readonly string[]): { own: readonly string[]; remote: readonly string[] | undefined } {
  const at = argv[0] === 'exec' ? argv.indexOf('--') : -1;
  return at < 0 ? { own: argv, remote: undefined } : { own: argv.slice(0, at), remote: argv.slice(at + 1) };
}

/** The first signal asks everything to stop and be left so that it can go on; the second ends the process at once. */
function stopOnSignals(controller: AbortController): void {
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(name, () => {
      if (controller.signal.aborted) process.exit(130);
      if (name === 'SIGINT') process.stderr.write('\nstopping; Ctrl-C again to stop at once\n');
      controller.abort(new Interrupted(name));
    });
  }
}

/** stdout or stderr goes to what can't take it: a full disk. */
class OutputLost extends LabError {}

/**
 * `lab build | head` must not kill a build in its middle: what nobody reads is dropped. What can't be written is our
 * error: the work stops, and the exit code is left for main.ts, as it may have ended already.
 */
function watchOutput(controller: AbortController): void {
  for (const [where, stream] of Object.entries({ stdout: process.stdout, stderr: process.stderr })) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE' || process.exitCode !== undefined) return;
      process.exitCode = EXIT.fault;
      const lost = new OutputLost({ what: `cannot write to ${where}: ${messageOf(error)}`, next: 'df -h .' });
      report(lost, '', undefined);
      controller.abort(lost);
    });
  }
}

/** An empty LAB_DRIVER is none, as with every other variable that we read. */
function dropEmptyFlags(env: NodeJS.ProcessEnv): void {
  for (const [key, value] of Object.entries(env))
    if (key.startsWith('LAB_') && value === '') Reflect.deleteProperty(env, key);
}
