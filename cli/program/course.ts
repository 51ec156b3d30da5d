import { existsSync } from 'node:fs';
import { EXIT, labDir, LabError, quoteAll } from '@handwired/host';
import { Option, type Command } from 'commander';
import type { ExecFlags } from '../commands/exec.ts';
import type { Context } from '../context.ts';
import type { Selection } from '../lab/chapters.ts';
import { labName } from '../options.ts';
import { chapterOption, labCommand, throughOption, type Act } from './parts.ts';

/** Commands that work on the lab host's inside: our solution, built and taken back. */
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
}

/** Commands whose stdio and signals are the lab host's. `remote` is what stood behind `--`. */
export function addRemote(program: Command, context: Context, act: Act, remote: readonly string[] = []): void {
  labCommand(program, 'ssh', 'a root shell on the lab host', 'lab ssh demo')
    .allowExcessArguments()
    .action((name: string = labName(), _flags: object, { args }: Command) => {
      if (args.length > 1) throw noCommand('lab ssh takes no command', [name, ...args.slice(1)]);
      return act('ssh', async () => (await import('../commands/ssh.ts')).runSsh(context, name), true);
    });
  labCommand(program, 'exec', 'run a command as root on the lab host', 'lab exec demo -- ip -br link')
    .usage('[-t] [name] -- CMD...')
    .option('-t, --tty', 'give the command a terminal')
    .allowExcessArguments()
    .action((name: string = labName(), flags: ExecFlags, { args }: Command) => {
      if (args.length > 1) throw noCommand('lab exec wants its command behind --', args);
      if (remote.join('').trim() === '') throw noCommand('lab exec wants a command behind --', args);
      return act('exec', async () => (await import('../commands/exec.ts')).runExec(context, name, remote, flags), true);
    });
}

/** The error that gives the words their place: the first is a lab if there is one of that name. */
function noCommand(what: string, words: readonly string[]): LabError {
  const [name = '', ...rest] = words;
  const isLab = name !== '' && existsSync(labDir(name));
  const command = quoteAll(isLab ? rest : words) || 'ip -br link';
  return new LabError({ what, next: `lab exec${isLab ? ` ${name}` : ''} -- ${command}`, exit: EXIT.usage });
}
