import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Command } from 'commander';
import { commandOf, helpAsFlag } from './find.ts';

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
    assert.equal(commandOf(program, argv.split(' ')).join(' '), command);
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
    assert.equal(helpAsFlag(program, argv.split(' ')).join(' '), read);
  }
});
