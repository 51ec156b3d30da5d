/** The commands of `lab`, and the command line made of them. A command's file is loaded only when it is asked for. */
import { Command, Help } from 'commander';
import type { Context, LabCommand } from './command.ts';

/** One command: what `lab --help` shows of it, and how to load the rest from its file. */
interface Entry {
  usage: string;
  summary: string;
  load: () => Promise<{ command: LabCommand }>;
}

/** Commands below a word, as in `lab fleet up`. */
interface Group {
  usage: string;
  summary: string;
  example: string;
  commands: readonly Entry[];
}

const createEntry = (usage: string, summary: string, load: Entry['load']): Entry => ({ usage, summary, load });

/** The four commands of `lab image` are so short that one file holds them. */
const loadImageCommand = (word: 'build' | 'verify' | 'list' | 'prune'): Entry['load'] => {
  return async () => ({ command: (await import('./commands/image.ts'))[word] });
};

/** All commands, in the order of `lab --help`. */
// biome-ignore format: one line for each command
export const registry: readonly (Entry | Group)[] = [
  createEntry('up [options] [name]', 'start a lab host, the machine to practise on; one that runs already is left as it is', () => import('./commands/up.ts')),
  createEntry('reset [options] [name]', 'put the lab host back to the state that it started with', () => import('./commands/reset.ts')),
  createEntry('status [options] [name]', 'list the labs on this machine: driver, state, age, memory, disk', () => import('./commands/status.ts')),
  createEntry('destroy [options] [name]', 'remove a lab and everything that belongs to it', () => import('./commands/destroy.ts')),
  createEntry('ssh [name]', 'open a root shell on the lab host', () => import('./commands/ssh.ts')),
  createEntry('exec [options] [name]', 'run one command as root on the lab host', () => import('./commands/exec.ts')),
  createEntry('guide [options] [chapter]', 'read a chapter of the course, or list the chapters', () => import('./commands/guide.ts')),
  createEntry('build [options] [name]', 'build the network for you, step by step, and show each command', () => import('./commands/build.ts')),
  createEntry('undo [options] [name]', 'take back what lab build does, and nothing else', () => import('./commands/undo.ts')),
  createEntry('next [name]', 'show what to do now', () => import('./commands/next.ts')),
  createEntry('progress [options] [name]', 'show your chapters, points, time and attempts; they are kept when the lab is removed', () => import('./commands/progress.ts')),
  createEntry('export [options]', 'print a bash script that builds the whole network on another Linux machine', () => import('./commands/export.ts')),
  createEntry('check [options] [name]', 'test the network that was built, and say what fails and why', () => import('./commands/check.ts')),
  createEntry('facts [options] [name]', "show the lab host's network as it is now, or record it to be graded later", () => import('./commands/facts.ts')),
  createEntry('diff [options] [name]', 'list what has changed on the lab host since it started, and which changes are yours', () => import('./commands/diff.ts')),
  createEntry('show [options] [name]', 'draw the network as it is now, and mark what is missing or wrong', () => import('./commands/show.ts')),
  createEntry('observe [options] [name]', 'capture packets at several places at once, and show where each one passed', () => import('./commands/observe.ts')),
  createEntry('trace [options] <from> <to>', 'send one packet and show its whole path: links, rules, translations, and where it was lost', () => import('./commands/trace.ts')),
  createEntry('compare [options] [name]', 'compare the network with one that Docker made, object by object', () => import('./commands/compare.ts')),
  {
    usage: 'fault',
    summary: 'break something in the network, for you to find',
    example: 'lab fault inject && lab check && lab fault submit',
    commands: [
      createEntry('list [options]', 'list the faults that can be injected, and how hard each is to find', () => import('./commands/fault/list.ts')),
      createEntry('inject [options] [fault...]', 'break something: the given faults, or some that are drawn at random', () => import('./commands/fault/inject.ts')),
      createEntry('submit [options] [cause...]', 'answer what the root cause is, by number or id; without an answer, list the choices', () => import('./commands/fault/submit.ts')),
      createEntry('reveal [options]', 'give up: show what was broken and how to repair it', () => import('./commands/fault/reveal.ts')),
      createEntry('repair [options]', 'repair what was revealed', () => import('./commands/fault/repair.ts')),
    ],
  },
  createEntry('doctor [options]', 'say what this machine has and lacks, with the commands that install what is missing', () => import('./commands/doctor.ts')),
  createEntry('setup [target]', 'install what a driver needs on this machine: packages, toolchain, disk image', () => import('./commands/setup.ts')),
  {
    usage: 'image',
    summary: 'manage the disk images of virtual machines: build, verify, list, prune',
    example: 'lab image list',
    commands: [
      createEntry('build', 'build the image, unless it is built already', loadImageCommand('build')),
      createEntry('verify', 'build the image twice, and test that both are identical', loadImageCommand('verify')),
      createEntry('list [options]', 'list the images in the cache', loadImageCommand('list')),
      createEntry('prune', 'remove the images that nothing uses', loadImageCommand('prune')),
    ],
  },
  {
    usage: 'dev',
    summary: 'change handwired itself: write a new check, cause, fault or chapter, and prove it',
    example: 'lab dev new fault bridge-filters-vlans && lab dev check bridge-filters-vlans',
    commands: [
      createEntry('new [options] <kind> <id>', 'write the skeleton of a check, a cause, a fault or a chapter', () => import('./commands/dev/new.ts')),
      createEntry('check <id>', 'prove one of them alone: its unit tests, then on a sandbox', () => import('./commands/dev/check.ts')),
    ],
  },
  {
    usage: 'fleet',
    summary: 'manage a class: a lab for each student of a roster (a CSV file with a column named student)',
    example: 'lab fleet up roster.csv && lab fleet grade roster.csv -o csv',
    commands: [
      createEntry('up [options] <roster>', 'start a lab for each student, as many at once as memory and cores allow', () => import('./commands/fleet/up.ts')),
      createEntry('status [options] <roster>', "show the state of each student's lab", () => import('./commands/fleet/status.ts')),
      createEntry('grade [options] <roster>', "grade each student's lab, and print a gradebook with one row for each student", () => import('./commands/fleet/grade.ts')),
      createEntry('destroy [options] <roster>', 'remove the lab of each student', () => import('./commands/fleet/destroy.ts')),
    ],
  },
];

const footer = `Example:
  lab up && lab ssh
  lab guide tour   (in another window)
  lab check

Exit code: 0 all pass, 1 the learner's work fails, 2 nothing to check, 3 our error,
  64 usage, 78 no such lab or bad configuration, 130 interrupted`;

/** Callbacks that tell the caller how a run proceeds. */
export interface Hooks {
  /** A command stands on the command line: its words, as `fleet up`. Its flags are read next. */
  onFound(words: string): void;
  /** A command starts. `passesSignals`: signals are for the program that it starts. */
  onStart(passesSignals: boolean): void;
  /** A command has ended with an exit code. */
  onEnd(exit: number): void;
}

/**
 * The command line of `lab`. Parsing prints help on stdout, and throws CommanderError or LabError for words that it
 * can't read.
 */
export function createProgram(context: Context, hooks: Hooks): Command {
  const usages = new Map<Command, string>();
  const ofCommander = new Help();
  const program = new Command('lab')
    .description(
      'Learn container networking: build it by hand on a lab host, a machine that can be thrown away, and have it tested.',
    )
    .exitOverride()
    .configureOutput({ writeErr: () => undefined })
    .configureHelp({ subcommandTerm: (command) => usages.get(command) ?? ofCommander.subcommandTerm(command) })
    .version('0.1.0')
    .helpCommand('help [command]', 'how to use a command')
    .addHelpText('after', `\n${footer}`);

  /** Adds commands by name and summary. A command that is asked for gets the rest from its file before it is parsed. */
  const addCommands = (parent: Command, entries: readonly (Entry | Group)[], before: string): void => {
    const joinWords = (command: Command): string => before + command.name();
    const files = new Map<Command, Entry>();
    for (const each of entries) {
      const [name = ''] = each.usage.split(' ');
      const command = parent.command(name).description(each.summary);
      usages.set(command, each.usage);
      if ('load' in each) files.set(command, each);
      else addCommands(addExample(command, each.example), each.commands, `${joinWords(command)} `);
    }
    parent.hook('preSubcommand', async (_parent, command) => {
      hooks.onFound(joinWords(command));
      const file = await files.get(command)?.load();
      if (file) completeCommand(command, file.command, context, hooks);
    });
  };
  addCommands(program, registry, '');
  return program;
}

/** Adds what a command's file declares: flags, example and action. */
function completeCommand(command: Command, file: LabCommand, context: Context, hooks: Hooks): void {
  file.declare?.(command);
  // Sets the default of a flag like `--no-evidence`. Commander does that only for flags that exist before parsing
  // starts.
  for (const option of command.options)
    if (option.negate) command.setOptionValueWithSource(option.attributeName(), true, 'default');
  addExample(command, file.example).action(async (...given: unknown[]) => {
    // Commander gives what `declare` asked for; each file knows its types.
    const args = given as never[];
    hooks.onStart(file.passesSignals?.(...args) === true);
    hooks.onEnd(await file.run(context, ...args));
  });
}

const addExample = (command: Command, example: string): Command =>
  command.addHelpText('after', `\nExample:\n  ${example}`);

/**
 * The command that argv names, and its words: `fleet up roster.csv` gives `fleet`, `up`. Stops at the first word that
 * is no command.
 */
export function findCommand(program: Command, argv: readonly string[]): { path: string[]; command: Command } {
  const path: string[] = [];
  let command = program;
  for (const word of argv) {
    const next = command.commands.find((each) => each.name() === word);
    if (!next) break;
    path.push(word);
    command = next;
  }
  return { path, command };
}

/**
 * `help fleet up` and `fleet help up` as `fleet up --help`. Commander itself reads one word behind `help` and ignores a
 * wrong one. A word that is no command is left for commander to complain about.
 */
export function rewriteHelp(program: Command, argv: readonly string[]): readonly string[] {
  const group = findCommand(program, argv);
  if (argv[group.path.length] !== 'help' || group.command.commands.length === 0) return argv;
  const words = [...group.path, ...argv.slice(group.path.length + 1)];
  const { path, command } = findCommand(program, words);
  const [unknown] = words.slice(path.length);
  return command.commands.length > 0 && unknown !== undefined ? [...path, unknown] : [...path, '--help'];
}
