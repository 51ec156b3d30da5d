import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:os';
import { describe, test } from 'node:test';
import { labCommand } from '../lab.ts';
import { noSandbox } from './sandbox.ts';
import { sharedLab } from './shared-lab.ts';
import { onTerminal, type Terminal } from './terminal.ts';

const { SIGTERM, SIGHUP } = constants.signals;
const prompt = /root@shell(\x1b\[\w+)?.*# /;

describe('lab ssh', { skip: noSandbox }, () => {
  const shared = sharedLab('shell');
  const ssh = (): Terminal => onTerminal(['ssh', 'shell'], shared().env);

  test('the prompt names the lab, the terminal has its size, and the exit status is ours', async () => {
    const terminal = ssh();
    await terminal.shows(prompt);
    terminal.send('stty size; tty; echo "$TERM"\r');
    assert.match(await terminal.shows(/31 97\r\n\/dev\/pts\/\d+\r\nxterm\r\n/), /./);
    await terminal.shows(prompt);
    terminal.send('exit 42\r');
    assert.deepEqual(await terminal.ended, { code: 42, raw: true, restored: true });
  });

  test('a new window size reaches what runs there', async () => {
    const terminal = ssh();
    await terminal.shows(prompt);
    terminal.send('trap "stty size" WINCH; echo "now"$((1+1))\r');
    await terminal.shows(/now2/);
    await terminal.shows(prompt);
    terminal.resize(44, 101);
    await terminal.shows(/44 101/);
    terminal.send('exit\r');
    await terminal.ended;
  });

  test('Ctrl-C, Ctrl-Z and Ctrl-D go to the program, not to lab', async () => {
    const terminal = ssh();
    await terminal.shows(prompt);
    terminal.send('sh -c \'echo "on"$((1)); exec sleep 71\'; echo "status"$?\r');
    await terminal.shows(/on1/);
    // Whether ^C is echoed before the prompt comes, after it or never is a race in the kernel: the signal goes first.
    terminal.send('\x03');
    await terminal.shows(prompt);
    terminal.send('sh -c \'echo "on"$((2)); exec cat\'\r');
    await terminal.shows(/on2/);
    terminal.send('\x1a');
    await terminal.shows(/Stopped/);
    await terminal.shows(prompt);
    // Each key waits for who is to read it. A shell that was told to kill its stopped job may not let itself be left
    // yet, and what is typed between two prompts is read by other rules, where Ctrl-D is another character.
    terminal.send('fg\r');
    await terminal.shows(/exec cat'\r\n/);
    terminal.send('read by cat\r');
    await terminal.shows(/read by cat\r\nread by cat\r\n/);
    terminal.send('\x04');
    await terminal.shows(prompt);
    terminal.send('\x04');
    assert.deepEqual(await terminal.ended, { code: 0, raw: true, restored: true });
  });

  test('a full-screen program gets its lines as it wrote them', async () => {
    const terminal = ssh();
    await terminal.shows(prompt);
    // In raw mode nothing may turn \n into \r\n on the way: it moves the cursor down, and only down.
    terminal.send("stty raw; printf 'A\\nB\\n'; stty sane\r");
    await terminal.shows(/A\nB\n/);
    terminal.send('exit\r');
    await terminal.ended;
  });

  for (const [name, number] of [
    ['SIGTERM', SIGTERM],
    ['SIGHUP', SIGHUP],
  ] as const) {
    test(`after ${name} the terminal is as it was, and the shell over there is gone`, async () => {
      const terminal = ssh();
      await terminal.shows(prompt);
      terminal.send('exec sh -c \'echo "on"$((4)); exec sleep 72.5\'\r');
      await terminal.shows(/on4/);
      terminal.signal(number);
      assert.deepEqual(await terminal.ended, { code: 128 + number, raw: true, restored: true });
      await shared().noneRuns('sleep 72.5');
    });
  }

  test('a connection that is lost gives the terminal back and the next command', async () => {
    const terminal = ssh();
    await terminal.shows(prompt);
    terminal.send('kill -9 $PPID\r');
    await terminal.shows(/connection to the lab host of shell was lost/);
    await terminal.shows(/next: +lab status shell/);
    assert.deepEqual(await terminal.ended, { code: 3, raw: true, restored: true });
  });

  test('without a terminal it is a shell that reads commands from stdin', async () => {
    const env = { ...process.env, ...shared().env };
    const child = spawn(labCommand, ['ssh', 'shell'], { stdio: ['pipe', 'pipe', 'inherit'], env });
    child.stdin.end('hostname\nexit 9\n');
    let text = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    const [code] = (await once(child, 'close')) as [number];
    assert.deepEqual([code, text], [9, 'shell\n']);
  });
});
