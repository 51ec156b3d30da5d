/**
 * What the files in commands/ share: the context that a command gets, the shape that it has, arguments, flags and
 * their parsers.
 */
import { availableParallelism, totalmem } from 'node:os';
import {
  chapterIds,
  conditionValues,
  EXIT,
  LabError,
  labNamePattern,
  type ChapterId,
  type Conditions,
  type DriverName,
  type Progress,
} from '@handwired/host';
import { Argument, Option, type Command } from 'commander';
import { closest, distance } from 'fastest-levenshtein';
import type { Output } from './text.ts';

/** What every command gets. It can be passed on to infra as a `Work`. */
export interface Context {
  /** Aborted when the user wants lab to stop, or when stdout can't be written to any more. */
  readonly signal: AbortSignal;
  /** Shows on stderr what is being done. */
  readonly progress: Progress;
  /** stdout itself, for what depends on the terminal that it is. */
  readonly stdout: Output;
  /** Prints a result on stdout, with a newline. All else goes to stderr. */
  print(text: string): void;
  /** Writes bytes of a result on stdout as they are. */
  write(bytes: Uint8Array): void;
  /** Whether results on stdout are to be coloured. */
  readonly color: boolean;
  /** Characters on a line of stdout; 100 when it is no terminal. */
  readonly columns: number;
  /** The words behind `--`: the remote command of `lab exec`. undefined: there was no `--`. */
  readonly remote: readonly string[] | undefined;
  /** The command to type after an interruption. A command sets it as soon as it can be continued. */
  resume: string | undefined;
}

/** The reason of an abort by a signal: SIGINT, SIGTERM or SIGHUP. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
}

/** What a file in commands/ exports as `command`. Its name and its summary are in registry.ts. */
export interface LabCommand {
  /** Command lines that its help shows as an example. */
  example: string;
  /** Adds its arguments and flags. */
  declare?(command: Command): void;
  /** Does the work and returns the exit code. `given`: the arguments in their order, then an object with the flags. */
  run(context: Context, ...given: never[]): number | Promise<number>;
  /** Whether Ctrl-C and other signals are left to the program that it starts. Default: they stop lab. */
  passesSignals?(...given: never[]): boolean;
}

/**
 * The lab's name: the given one, else $LAB_NAME, else `lab`. Throws LabError (64) if it is no DNS label, because it
 * becomes part of paths.
 */
export function resolveLabName(given?: string): string {
  const name = given ?? readDefaultName();
  if (labNamePattern.test(name)) return name;
  throw new LabError({
    what: `'${name.slice(0, 80)}' can't be a lab's name: 1-32 characters a-z, 0-9 and -, no - at either end (a DNS label)`,
    next: 'lab up my-lab',
    exit: EXIT.usage,
  });
}

const readDefaultName = (): string => process.env.LAB_NAME || 'lab';

/** A lab's name as an argument of a command that is printed: ` demo`. Empty for the default lab. */
export const renderName = (name: string): string => (name === readDefaultName() ? '' : ` ${name}`);

/** A lab's name as a flag of a command that is printed: ` --lab demo`. Empty for the default lab. */
export const renderLabFlag = (name: string): string => (name === readDefaultName() ? '' : ` --lab ${name}`);

/** ` (did you mean WORD?)` for the allowed word that is spelled most like a mistyped one. Empty when none resembles it. */
export function suggestWord(word: string, allowed: readonly string[]): string {
  const small = word.slice(0, 80).toLowerCase();
  const near = closest(small, [...allowed]);
  // A guess must share letters with what was typed. So no one-letter word is taken for another.
  const shared = near.length - distance(small, near);
  return shared >= Math.max(1, near.length / 2) ? ` (did you mean ${near}?)` : '';
}

/** A parser that takes one of some words. It throws LabError (64) for any other. */
export function createWordParser<T extends string>(
  kind: string,
  allowed: readonly T[],
  next = 'lab --help',
): (word: string) => T {
  return (word) => {
    const found = allowed.find((candidate) => candidate === word);
    if (found !== undefined) return found;
    // A list of many words would hide the guess; `next` shows it.
    const words = allowed.length > 20 ? `there are ${allowed.length}` : `it is one of: ${allowed.join(' ')}`;
    const what = `unknown ${kind} '${word.slice(0, 80)}'${suggestWord(word, allowed)}; ${words}`;
    throw new LabError({ what, next, exit: EXIT.usage });
  };
}

/** A parser that takes a whole number within bounds. It throws LabError (64) for anything else. */
export function createNumberParser(flag: string, min: number, max: number, next: string): (text: string) => number {
  return (text) => {
    const count = Number(text);
    if (/^\d+$/.test(text) && count >= min && count <= max) return count;
    const what = `${flag} wants a whole number from ${min} to ${max}, not '${text.slice(0, 40)}'`;
    throw new LabError({ what, next, exit: EXIT.usage });
  };
}

const driverNames = ['auto', 'vm', 'sandbox'] as const;

/** Parses `--driver`. */
export const parseDriver = createWordParser('driver', driverNames, 'lab up --help');

/** Parses a chapter's id. */
export const parseChapter: (word: string) => ChapterId = createWordParser('chapter', chapterIds);

/** Collects `--condition KEY=VALUE`, once for each key. */
export function parseCondition(text: string, before: Partial<Conditions> = {}): Partial<Conditions> {
  const [key = '', value] = text.split('=', 2);
  const keys = Object.keys(conditionValues) as (keyof Conditions)[];
  const known = createWordParser('condition', keys, 'lab up --help')(key);
  if (value === undefined) {
    const example = `${known}=${conditionValues[known].join('|')}`;
    throw new LabError({ what: `--condition wants KEY=VALUE: ${example}`, next: 'lab up --help', exit: EXIT.usage });
  }
  const checked = createWordParser(`value of ${known}`, conditionValues[known], 'lab up --help')(value);
  return { ...before, [known]: checked };
}

/** Parses a libvirt URI. It does not test whether a daemon is there. */
function parseUri(text: string): string {
  if (/^\S+$/.test(text)) return text;
  const what = `--uri wants the URI of a libvirt daemon, not '${text.slice(0, 40)}'`;
  throw new LabError({ what, next: 'lab up --uri qemu:///system', exit: EXIT.usage });
}

const parseCpus = createNumberParser('--cpus', 1, availableParallelism(), 'lab up --help');

/** Parses `--memory`: MiB, at most what this machine has. */
export const parseMemory = createNumberParser('--memory', 192, Math.floor(totalmem() / 1024 / 1024), 'lab up --help');

/** A usage error (64) whose next command is the command's help. `command`: its words, as `fleet up`. */
export const createUsageError = (what: string, command: string): LabError =>
  new LabError({ what, next: `lab ${command} --help`, exit: EXIT.usage });

const nameHelp = "the lab's name (default: $LAB_NAME, else lab)";

/** `[name]`: the lab. When it is not given, the command calls `resolveLabName()`. */
export const createNameArgument = (): Argument => new Argument('[name]', nameHelp).argParser(resolveLabName);

/** `--lab`, for commands that take other arguments than the lab's name. */
export const createLabOption = (help = nameHelp): Option => new Option('--lab <name>', help).argParser(resolveLabName);

/** `-o` with the formats of one command; the first is the default. */
export function createOutputOption<T extends string>(...formats: [T, ...T[]]): Option {
  return new Option('-o, --output <format>', formats.join(', '))
    .argParser(createWordParser('format', formats))
    .default(formats[0]);
}

/** `--chapter ID`. */
export const createChapterOption = (help: string): Option => new Option('--chapter <id>', help).argParser(parseChapter);

/** `--through ID`. */
export const createThroughOption = (help: string): Option =>
  new Option('--through <id>', help).argParser(parseChapter).conflicts('chapter');

/** The chapters that a command is about: one, or all up to one. */
export interface ChapterFlags {
  chapter?: ChapterId;
  through?: ChapterId;
}

/** These flags as part of a command that is printed, with a space before each. */
export const renderChapterFlags = ({ chapter, through }: ChapterFlags): string =>
  [chapter && ` --chapter ${chapter}`, through && ` --through ${through}`].filter(Boolean).join('');

/** The flags of `lab up`. A flag that was not given is undefined. */
export interface UpOptions {
  driver?: 'auto' | DriverName;
  /** The libvirt daemon. */
  uri?: string;
  condition?: Partial<Conditions>;
  cpus?: number;
  /** MiB. */
  memory?: number;
}

/** The flags of UpOptions, for one lab or a fleet. */
export function addUpOptions(to: Command): Command {
  const driver = new Option(
    '--driver <driver>',
    'the kind of lab host: vm is a virtual machine, sandbox is a set of Linux namespaces, auto is what is ready soonest',
  );
  return to
    .addOption(driver.env('LAB_DRIVER').argParser(parseDriver))
    .addOption(
      new Option('--uri <uri>', 'the libvirt daemon that runs the virtual machine').env('LAB_URI').argParser(parseUri),
    )
    .option(
      '--condition <key=value>',
      'what the lab host starts with: forward-policy=accept|drop, bridge-nf=0|1, resolver=stub|file, ip-forward=0|1; may be repeated',
      parseCondition,
    )
    .addOption(new Option('--cpus <n>', 'virtual CPUs (default 1)').env('LAB_CPUS').argParser(parseCpus))
    .addOption(new Option('--memory <mib>', 'memory in MiB (default 512)').env('LAB_MEMORY').argParser(parseMemory));
}
