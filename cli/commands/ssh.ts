import type { Command } from 'commander';
import { type Context, type LabCommand, resolveLabName, createNameArgument } from '../command.ts';
import { createWordsError, runRemote } from './exec.ts';

/**
 * `lab ssh`: an interactive root shell on the lab host; gives its exit status. With a terminal on stdin it gets a pty of
 * the terminal's size and every key. Without one it is a plain shell that reads commands from stdin, as with ssh(1). The
 * terminal is put back however this ends.
 */
export const command: LabCommand = {
  example: 'lab ssh demo',
  declare: (command) => command.addArgument(createNameArgument()).allowExcessArguments(),
  run: runSsh,
  passesSignals: () => true,
};

async function runSsh(
  context: Context,
  name: string = resolveLabName(),
  _flags: object,
  { args }: Command,
): Promise<number> {
  if (args.length > 1) throw createWordsError('lab ssh takes no command', [name, ...args.slice(1)]);
  return runRemote(context, name, { line: undefined, shown: 'root shell', tty: process.stdin.isTTY });
}
