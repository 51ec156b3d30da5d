import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Command, Help } from 'commander';
import { findCommand, rewriteHelp, registry } from './registry.ts';

const program = new Command('lab');
program.command('destroy [name]');
program.command('fleet').command('up <roster>');

test('the command of a command line is its words up to what is none', () => {
  for (const [argv, command] of [
    ['fleet up roster.csv', 'fleet up'],
    ['fleet nosuch', 'fleet'],
    ['-o json', ''],
    ['', ''],
  ] as const) {
    assert.equal(findCommand(program, argv.split(' ')).path.join(' '), command);
  }
});

test('help is the flag of the command that is asked about, however deep, and runs nothing', () => {
  for (const [argv, read] of [
    ['help', '--help'],
    ['help fleet', 'fleet --help'],
    ['help fleet up', 'fleet up --help'],
    ['fleet help up', 'fleet up --help'],
    ['help destroy demo', 'destroy --help'],
    ['help nosuch', 'nosuch'],
    ['help fleet nosuch', 'fleet nosuch'],
    ['destroy help', 'destroy help'],
    ['fleet up help', 'fleet up help'],
  ] as const) {
    assert.equal(rewriteHelp(program, argv.split(' ')).join(' '), read);
  }
});

test('what lab --help shows of a command is what its file declares', async () => {
  const entries = registry.flatMap((entry) => ('commands' in entry ? entry.commands : [entry]));
  for (const { usage, load } of entries) {
    const [name = ''] = usage.split(' ');
    const command = new Command(name);
    const file = (await load()).command;
    file.declare?.(command);
    assert.equal(new Help().subcommandTerm(command), usage);
    assert.match(file.example, /^lab /);
  }
});
