import { Command } from 'commander';
import type { Context } from '../context.ts';
import { addCourse, addRemote } from './course.ts';
import { addExport } from './export.ts';
import { addFaults } from './faults.ts';
import { addFleet } from './fleet.ts';
import { addGrading } from './grading.ts';
import { addGuide } from './guide.ts';
import { addLifecycle } from './lifecycle.ts';
import { addMachine } from './machine.ts';
import type { Act } from './parts.ts';
import { addProgress } from './progress.ts';
import { addSeeing } from './seeing.ts';

/** How the caller follows one run: what command it is, and how it ended. */
export interface Hooks {
  /** `passesSignals`: signals belong to the remote command, not to lab. */
  onStart(command: string, passesSignals: boolean): void;
  onEnd(exit: number): void;
}

const footer = `Example:
  lab up && lab ssh
  lab guide tour   (in another window)
  lab check

Exit code: 0 all pass, 1 the learner's work fails, 2 nothing to check, 3 our error,
  64 usage, 78 no such lab or bad configuration, 130 interrupted`;

/**
 * The command line of `lab`, as data. `remote` is what stood behind `--`: the command line of `lab exec`.
 * Throws CommanderError or LabError for what it can't read; prints help on stdout.
 */
export function createProgram(context: Context, hooks: Hooks, remote: readonly string[] | undefined): Command {
  const act: Act = async (command, run, passesSignals = false) => {
    hooks.onStart(command, passesSignals);
    hooks.onEnd(await run());
  };
  const program = new Command('lab')
    .description(
      'Build container networking by hand on a lab host that you can throw away, and be told the truth about it.',
    )
    .exitOverride()
    .configureOutput({ writeErr: () => undefined })
    .version('0.1.0')
    .helpCommand('help [command]', 'how to use a command')
    .addHelpText('after', `\n${footer}`);
  addLifecycle(program, context, act);
  addRemote(program, context, act, remote);
  addGuide(program, context, act);
  addCourse(program, context, act);
  addProgress(program, context, act);
  addExport(program, context, act);
  addGrading(program, context, act);
  addSeeing(program, context, act);
  addFaults(program, context, act);
  addMachine(program, context, act);
  addFleet(program, context, act);
  return program;
}
