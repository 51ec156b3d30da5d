import { CommanderError } from 'commander';
import { createContext } from './context.ts';
import { createProgram, type Hooks } from './program/index.ts';
import { Interrupted, report } from './report.ts';

/** Parses argv (without node and script), runs the command, reports an error. Returns the exit code; throws nothing. */
export async function runLab(argv: readonly string[]): Promise<number> {
  ignoreClosedPipes();
  const controller = new AbortController();
  const context = createContext(controller.signal);
  const commandLine = { text: argv.find((word) => !word.startsWith('-')) ?? '' };
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
  try {
    await program.parseAsync(own, { from: 'user' });
    return state.exit;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return 0;
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

/** `lab build | head` must not kill a build in its middle: what nobody reads is dropped. */
function ignoreClosedPipes(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
    });
  }
}
