import { Argument, Option, type Command } from 'commander';
import {
  driverNames,
  labName,
  oneOf,
  parseChapter,
  parseCondition,
  parseCpus,
  parseDriver,
  parseMemory,
  parseUri,
} from '../options.ts';

/** Starts one command and keeps its exit code. Each command's own file is imported only when it runs. */
export type Act = (command: string, run: () => Promise<number>, passesSignals?: boolean) => Promise<void>;

/** A command with its summary and an example in its help. */
export function command(parent: Command, usage: string, summary: string, example: string): Command {
  return parent.command(usage).description(summary).addHelpText('after', `\nExample:\n  ${example}`);
}

/** A command on one lab. Without a name its action gets undefined. */
export function labCommand(parent: Command, word: string, summary: string, example: string): Command {
  const name = new Argument('[name]', "the lab's name (default: $LAB_NAME, else lab)").argParser(labName);
  return command(parent, word, summary, example).addArgument(name);
}

/** `-o` with the formats of one command, the first by default. */
export function output<T extends string>(formats: readonly [T, ...T[]]): Option {
  return new Option('-o, --output <format>', formats.join(', '))
    .argParser(oneOf('format', formats))
    .default(formats[0]);
}

const levels = ['0', '1', '2', '3'] as const;

/** How much `lab check` gives away. */
export const hintsOption = (): Option =>
  new Option('--hints <level>', '0 none, 1 where to look, 2 what is wrong, 3 the commands that mend it')
    .env('LAB_HINTS')
    .argParser((text: string) => Number(oneOf('level', levels)(text)))
    .default(1);

/** For commands whose own words are no lab's name. */
export const labOption = (): Option =>
  new Option('--lab <name>', "the lab's name (default: $LAB_NAME, else lab)").argParser(labName);

export const chapterOption = (what: string): Option => new Option('--chapter <id>', what).argParser(parseChapter);
export const throughOption = (what: string): Option =>
  new Option('--through <id>', what).argParser(parseChapter).conflicts('chapter');

/** What a lab host is made with, for one lab or a fleet. */
export function addMachineOptions(to: Command): Command {
  const driver = new Option('--driver <driver>', `${driverNames.join(', ')}: what makes the lab host`);
  return to
    .addOption(driver.env('LAB_DRIVER').argParser(parseDriver))
    .addOption(new Option('--uri <uri>', 'libvirt daemon to use (driver vm)').env('LAB_URI').argParser(parseUri))
    .option(
      '--condition <key=value>',
      'forward-policy=accept|drop, bridge-nf=0|1, resolver=stub|file, ip-forward=0|1; may be given again',
      parseCondition,
    )
    .addOption(new Option('--cpus <n>', 'virtual CPUs (default 1)').env('LAB_CPUS').argParser(parseCpus))
    .addOption(new Option('--memory <mib>', 'memory in MiB (default 512)').env('LAB_MEMORY').argParser(parseMemory));
}
