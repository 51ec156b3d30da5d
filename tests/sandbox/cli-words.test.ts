import assert from 'node:assert/strict';
import { test } from 'node:test';
import { run } from '@handwired/host';
import { labCommand, withLabs } from '../lab.ts';
import { assertClear, builtRight, ready, sandbox } from './steps.ts';

const bad: [words: string[], exit: number, what: RegExp, next: RegExp][] = [
  [[], 64, /wants a command/, /next: {2}lab --help/],
  [['chek'], 64, /unknown command 'chek' \(did you mean check\?\)/, /lab --help/],
  [['fleet', 'grad'], 64, /unknown command 'grad'/, /lab fleet --help/],
  [['up', '--drivr', 'vm'], 64, /unknown option '--drivr' \(did you mean --driver\?\)/, /lab up --help/],
  [['up', '--driver', 'vn'], 64, /unknown driver 'vn' \(did you mean vm\?\)/, /lab up --help/],
  [['up', '--condition', 'resolver=stubb'], 64, /did you mean stub\?/, /lab up --help/],
  [['up', '--memory', '1'], 64, /--memory wants a whole number/, /lab up --help/],
  [['up', 'Not_A_Label'], 64, /'Not_A_Label' can't be a lab's name/, /lab up my-lab/],
  [['destroy', '../../etc'], 64, /can't be a lab's name/, /lab up/],
  [['check', '--chapter', 'egres'], 64, /did you mean egress\?/, /lab --help/],
  [['check', '-o', 'yaml'], 64, /unknown format 'yaml'/, /lab --help/],
  [['check', '--watch', '--wait'], 64, /--watch' cannot be used with option '--wait/, /lab check --help/],
  [['check', '--watch', '-o', 'tap'], 64, /--watch shows changes as text, not as tap/, /lab check --help/],
  [
    ['check', '--facts', 'x.json', '--watch'],
    64,
    /'--facts <file>' cannot be used with option '--watch'/,
    /lab check --help/,
  ],
  [['check', '--facts', 'x.json', '--wait'], 64, /'--facts <file>' cannot be used/, /lab check --help/],
  [['check', 'own', '--facts', 'x.json'], 64, /not lab own/, /lab check --help/],
  [['check', '--wait', 'soon'], 64, /--wait wants a whole number/, /lab check --help/],
  [['check', '--facts', '/nosuch.json'], 78, /cannot read the recording/, /lab facts -o json/],
  [['check', '--facts', '/etc/passwd'], 3, /no recording/, /lab facts -o json/],
  [['check', '--facts', '/dev/zero'], 3, /larger than 48 MiB/, /lab facts -o json/],
  [['facts', '--no-evidence'], 64, /goes with -o json/, /lab facts --help/],
  [['facts', 'nosuch'], 78, /there is no lab named nosuch/, /lab up nosuch/],
  [['diff', 'nosuch'], 78, /there is no lab named nosuch/, /lab up nosuch/],
  [['diff', '--since', '/nosuch.json'], 78, /cannot read the recording/, /lab facts -o json/],
  [['-o', 'json'], 64, /unknown option '-o'/, /next: {2}lab --help/],
  [['help', 'chek'], 64, /unknown command 'chek' \(did you mean check\?\)/, /lab --help/],
  [['fleet', 'help', 'grad'], 64, /unknown command 'grad'/, /lab fleet --help/],
  [['fleet', 'up'], 64, /missing required argument 'roster'/, /lab fleet up --help/],
  [['fleet', 'up', 'r.csv', '--jobs', '0'], 64, /--jobs wants/, /lab fleet --help/],
  [['up', '--uri', ''], 64, /--uri wants the URI/, /lab up --uri/],
  [['up', '--driver', 'sandbox', '--uri', 'qemu:///system'], 64, /--uri is for the driver vm/, /lab up --driver vm/],
  [['exec'], 64, /wants a command behind --/, /lab exec -- ip -br link/],
  [['exec', '--', ''], 64, /wants a command behind --/, /lab exec -- ip -br link/],
  [['exec', 'cat', '/etc/hosts'], 64, /wants its command behind --/, /lab exec -- cat \/etc\/hosts/],
  [['ssh', 'nosuch', 'ls'], 64, /takes no command/, /lab exec -- nosuch ls/],
  [['ssh', 'nosuch'], 78, /there is no lab named nosuch/, /lab up nosuch/],
  [['exec', 'nosuch', '--', 'true'], 78, /there is no lab named nosuch/, /lab up nosuch/],
  [['build', 'nosuch'], 78, /there is no lab named nosuch/, /lab up nosuch/],
  [['undo', 'nosuch'], 78, /there is no lab named nosuch/, /lab up nosuch/],
  [['check', 'nosuch'], 78, /there is no lab named nosuch/, /lab up nosuch/],
  [['reset', 'nosuch'], 78, /there is no lab named nosuch/, /lab up nosuch/],
  [['status', 'nosuch'], 78, /there is no lab named nosuch/, /lab up nosuch/],
  [['destroy', 'nosuch'], 78, /there is no lab named nosuch/, /lab status/],
  [['destroy', 'nosuch', '--all'], 64, /a name or --all/, /lab destroy nosuch/],
  [['fault'], 64, /wants a command/, /lab fault --help/],
  [['fault', 'inject', 'brige-down'], 64, /did you mean bridge-down\?/, /lab fault list/],
  [['fault', 'inject', 'bridge-down', '--seed', '1'], 64, /either faults, or/, /lab fault inject --help/],
  [['fault', 'inject', '--level', '4'], 64, /unknown level '4'/, /lab fault inject --help/],
  [['fault', 'submit', '--lab', 'nosuch'], 78, /there is no lab named nosuch/, /lab up nosuch/],
  [['fleet', 'grade', '/nosuch.csv'], 78, /cannot read the roster/, /student.* > \/nosuch\.csv/],
];

test('what can not be done is said in three lines, with the next command and the right exit code', async () => {
  await withLabs(async (lab) => {
    for (const [words, exit, what, next] of bad) assertClear(await lab(...words), exit, what, next);
  });
});

test('every command has help with an example', async () => {
  await withLabs(async (lab) => {
    const own = [
      'up',
      'ssh',
      'exec',
      'build',
      'undo',
      'check',
      'facts',
      'diff',
      'reset',
      'status',
      'doctor',
      'destroy',
      'setup',
    ];
    const image = ['build', 'verify', 'list', 'prune'].map((word) => `image ${word}`);
    const fleet = ['up', 'status', 'grade', 'destroy'].map((word) => `fleet ${word}`);
    const asked = [...own, ...image, ...fleet].map((words) => lab(...words.split(' '), '--help'));
    for (const { code, stdout } of await Promise.all(asked)) {
      assert.equal(code, 0);
      assert.match(stdout, /Example:\n {2}lab /);
    }
  });
});

test('results go to stdout, stages to stderr, and a reader who leaves early is no error', async () => {
  await withLabs(async (lab) => {
    const { stdout, stderr } = await lab('up', 'own', ...sandbox);
    assert.match(stdout, /^lab own is up \(driver sandbox\)\n[^]*next: lab ssh own/);
    assert.match(stderr, /sandbox started {2}\d/);
    const plain = await lab.start(['build', 'own', '--chapter', 'namespaces'], { CI: 'true' }).ended;
    assert.match(plain.stdout, /^01 /, 'no colour in a pipe, in CI neither');
    const line = `'${labCommand}' build own | head -n 1; '${labCommand}' status | true`;
    const left = await run(['sh', '-c', line], { env: { XDG_STATE_HOME: lab.state } });
    assert.equal(left.stderr, '');
    await builtRight(lab, 'own');
  });
});

test('help is there for a command however it is asked for', async () => {
  await withLabs(async (lab) => {
    const asked = ['help fleet up', 'fleet help up', 'fleet up --help'].map((words) => lab(...words.split(' ')));
    for (const { code, stdout } of await Promise.all(asked)) {
      assert.equal(code, 0);
      assert.match(stdout, /^Usage: lab fleet up /);
    }
    assert.match((await lab('help', 'destroy', 'own')).stdout, /^Usage: lab destroy /);
  });
});

test('what can not be written is an error of ours, without a stack trace', async () => {
  await withLabs(async (lab) => {
    await ready(lab, 'own');
    for (const words of ['status', 'check own', 'build own', 'exec own -- echo hi', '--help']) {
      const line = `'${labCommand}' ${words} >/dev/full`;
      const { code, stderr } = await run(['sh', '-c', line], {
        env: { XDG_STATE_HOME: lab.state },
        allowFailure: true,
      });
      assertClear({ code, stderr, stdout: '' }, 3, /cannot write to stdout: .*ENOSPC/, /next: {2}df/);
    }
  });
});

test('a variable that is empty is as one that is not set', async () => {
  await withLabs(async (lab) => {
    const env = { LAB_DRIVER: '', LAB_HINTS: '', LAB_URI: '', LAB_CPUS: '', LAB_MEMORY: '', LAB_NAME: '' };
    assert.equal((await lab.start(['up', 'own', ...sandbox], env).ended).code, 0);
    assert.equal((await lab.start(['check', 'own'], env).ended).code, 2);
  });
});
