import { EXIT, LabError } from '@handwired/host';
import { Option, type Command } from 'commander';
import type { CheckOptions } from '../commands/check.ts';
import type { ExecFlags } from '../commands/exec.ts';
import type { Context } from '../context.ts';
import type { Selection } from '../lab/chapters.ts';
import { labName } from '../options.ts';
import { chapterOption, hintsOption, labCommand, output, throughOption, type Act } from './parts.ts';

/** Commands that work on the lab host's inside: our solution and the grading of whatever is there. */
export function addCourse(program: Command, context: Context, act: Act): void {
  const load = () => import('../commands/build.ts');
  labCommand(program, 'build', 'our solution, step by step, each command shown', 'lab build --through egress')
    .addOption(chapterOption('this chapter and what it needs'))
    .addOption(throughOption('all chapters up to this one'))
    .action((name: string = labName(), options: Selection) =>
      act('build', async () => (await load()).runBuild(context, name, options)),
    );
  labCommand(program, 'undo', 'take our solution back and nothing else', 'lab undo --chapter publish')
    .addOption(chapterOption('this chapter and what stands on it'))
    .addOption(new Option('--all', 'the whole course (also without a flag)').conflicts('chapter'))
    .action((name: string = labName(), options: Selection) =>
      act('undo', async () => (await load()).runUndo(context, name, options.chapter)),
    );
  labCommand(program, 'check', 'grade it; without a flag every chapter that was begun', 'lab check --through veth')
    .addOption(chapterOption('this chapter alone'))
    .addOption(throughOption('all chapters up to this one'))
    .addOption(hintsOption())
    .addOption(output(['text', 'json']))
    .action((name: string = labName(), options: CheckOptions) =>
      act('check', async () => (await import('../commands/check.ts')).runCheck(context, name, options)),
    );
}

/** Commands whose stdio and signals are the lab host's. `remote` is what stood behind `--`. */
export function addRemote(program: Command, context: Context, act: Act, remote: readonly string[] = []): void {
  labCommand(program, 'ssh', 'a root shell on the lab host', 'lab ssh demo').action((name: string = labName()) =>
    act('ssh', async () => (await import('../commands/ssh.ts')).runSsh(context, name), true),
  );
  labCommand(program, 'exec', 'run a command as root on the lab host', 'lab exec demo -- ip -br link')
    .usage('[-t] [name] -- CMD...')
    .option('-t, --tty', 'give the command a terminal')
    .action((name: string = labName(), flags: ExecFlags) => {
      if (remote.length > 0) {
        return act(
          'exec',
          async () => (await import('../commands/exec.ts')).runExec(context, name, remote, flags),
          true,
        );
      }
      const next = `lab exec ${name} -- ip -br link`;
      throw new LabError({ what: 'lab exec wants a command behind --', next, exit: EXIT.usage });
    });
}
