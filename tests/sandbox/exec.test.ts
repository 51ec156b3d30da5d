import assert from 'node:assert/strict';
import { type ChildProcess, spawn, type StdioOptions } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { describe, test } from 'node:test';
import { labCommand } from '../lab.ts';
import { noSandbox } from './sandbox.ts';
import { sharedLab } from './shared-lab.ts';
import { onTerminal } from './terminal.ts';

interface Ended {
  code: number | null;
  signal: string | null;
  stdout: Buffer;
  stderr: string;
}

describe('lab exec', { skip: noSandbox }, () => {
  const shared = sharedLab('remote');

  const start = (words: string[], stdio: StdioOptions = ['ignore', 'pipe', 'pipe']): ChildProcess =>
    spawn(labCommand, ['exec', 'remote', '--', ...words], { stdio, env: { ...process.env, ...shared().env } });

  async function endOf(child: ChildProcess): Promise<Ended> {
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout?.on('data', (chunk: Buffer) => out.push(chunk));
    child.stderr?.on('data', (chunk: Buffer) => err.push(chunk));
    const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
    return { code, signal, stdout: Buffer.concat(out), stderr: Buffer.concat(err).toString() };
  }

  const exec = (...words: string[]): Promise<Ended> => endOf(start(words));

  /** Starts a command line and waits until it has said `ready`. */
  async function begun(line: string): Promise<ChildProcess> {
    const child = start([line]);
    let text = '';
    while (child.stdout && !text.includes('ready')) text += String((await once(child.stdout, 'data'))[0]);
    return child;
  }

  test("both outputs and the exit status are the command's", async () => {
    const { code, stdout, stderr } = await exec('echo out; echo err >&2; exit 5');
    assert.deepEqual([code, stdout.toString(), stderr], [5, 'out\n', 'err\n']);
  });

  test('several words are a program and its arguments, as they are', async () => {
    const words = ['a b', "it's", '$HOME', '', '*', 'x\ny', '-n'];
    const { stdout } = await exec('printf', '%s\\0', ...words);
    assert.deepEqual(stdout.toString().split('\0').slice(0, -1), words);
  });

  test('it runs as root on the lab host', async () => {
    const { stdout } = await exec('id -u; hostname; ip -br link show enp1s0 | wc -l');
    assert.equal(stdout.toString(), '0\nremote\n1\n');
  });

  test('a missing program gives 127, a signal 128 and its number', async () => {
    const [missing, killed] = await Promise.all([exec('no-such-program', 'x'), exec('kill -9 $$')]);
    assert.deepEqual([missing.code, killed.code], [127, 137]);
    assert.match(missing.stderr, /no-such-program: not found/);
  });

  test('bytes pass unchanged in both directions', async () => {
    const child = start(['cat'], ['pipe', 'pipe', 'inherit']);
    const bytes = randomBytes(20_000_000);
    const ended = endOf(child);
    child.stdin?.end(bytes);
    const { code, stdout } = await ended;
    assert.equal(code, 0);
    assert.equal(createHash('sha256').update(stdout).digest('hex'), createHash('sha256').update(bytes).digest('hex'));
  });

  test('100 MB go through a slow reader without being held in memory', async () => {
    const child = start(['head -c 104857600 /dev/zero'], ['ignore', 'pipe', 'inherit']);
    let size = 0;
    let most = 0;
    await pipeline(child.stdout ?? [], async (chunks: AsyncIterable<Buffer>) => {
      for await (const chunk of chunks) {
        size += chunk.length;
        if (size % 64 === 0) most = Math.max(most, await residentOf(child.pid ?? 0));
      }
    });
    assert.equal(size, 104_857_600);
    assert.ok(most < 250 * 1024 * 1024, `${most} bytes`);
  });

  test('stdin may be empty, closed, a file, or a pipe that nobody closes', async () => {
    assert.equal((await endOf(start(['cat']))).stdout.toString(), '');
    const folder = await mkdtemp(join(tmpdir(), 'handwired-test-'));
    await writeFile(join(folder, 'file'), 'from a file');
    const file = await open(join(folder, 'file'));
    assert.equal((await endOf(start(['cat'], [file.fd, 'pipe', 'pipe']))).stdout.toString(), 'from a file');
    await file.close();
    await rm(folder, { recursive: true });
    const kept = start(['exit 3'], ['pipe', 'pipe', 'pipe']);
    assert.equal((await endOf(kept)).code, 3);
    const closed = spawn('sh', ['-c', 'exec "$0" exec remote -- cat <&-', labCommand], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...shared().env },
    });
    assert.equal((await endOf(closed)).code, 0);
  });

  test('a process left in the background does not hold it up, and keeps running', async () => {
    const { code, stdout } = await exec('sleep 81.5 & echo done; exit 4');
    assert.deepEqual([code, stdout.toString()], [4, 'done\n']);
    assert.equal((await shared().session.exec("pkill -f '[s]leep 81.5'")).code, 0);
  });

  test('what was written before the end comes whole, whatever runs on in the background', async () => {
    for (let round = 0; round < 12; round += 1) {
      const size = 1 + round * 250_007;
      const { code, stdout } = await exec(`sleep 82.5 & head -c ${size} /dev/zero; exit 6`);
      assert.deepEqual([code, stdout.length], [6, size]);
    }
    await shared().session.exec("pkill -f '[s]leep 82.5'");
  });

  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const) {
    test(`${name} goes to the command, whose own end counts`, async () => {
      const short = name.slice(3);
      const child = await begun(`trap 'echo got; exit 9' ${short}; echo ready; while :; do sleep 0.05; done`);
      child.kill(name);
      const { code, stdout } = await endOf(child);
      assert.equal(code, 9);
      assert.match(stdout.toString(), /got\n$/);
    });
  }

  test('a command that a signal ends takes its children along', async () => {
    const child = await begun('sleep 83.5 & echo ready; sleep 83.5');
    child.kill('SIGTERM');
    assert.equal((await endOf(child)).code, 128 + constants.signals.SIGTERM);
    await shared().noneRuns('sleep 83.5');
  });

  test('a command that ignores Ctrl-C is given up after the fourth', async () => {
    const child = await begun('trap "" INT; echo ready; while :; do sleep 84.5; done');
    const ended = endOf(child);
    const again = setInterval(() => child.kill('SIGINT'), 50);
    const { code, signal, stderr } = await ended.finally(() => clearInterval(again));
    // One more may come when nothing is left to give up, and end lab in the usual way: the same to a shell.
    assert.ok(code === 130 || signal === 'SIGINT', `${code} ${signal}`);
    assert.equal(stderr, '');
    await shared().noneRuns('sleep 84.5');
  });

  test('when lab is killed the command ends too', async () => {
    const child = await begun('echo ready; exec sleep 85.5');
    child.kill('SIGKILL');
    await once(child, 'close');
    await shared().noneRuns('sleep 85.5');
  });

  test('a reader that goes away ends the command, as in a local pipeline', async () => {
    const child = start(['yes 86.5']);
    if (child.stdout) await once(child.stdout, 'data');
    child.stdout?.destroy();
    const [code] = (await once(child, 'exit')) as [number];
    assert.equal(code, 128 + constants.signals.SIGPIPE);
    await shared().noneRuns('yes 86.5');
  });

  test('a connection lost in the middle is our error, with the next command', async () => {
    const { code, stderr } = await exec('kill -9 $PPID; sleep 5');
    assert.equal(code, 3);
    assert.match(stderr, /connection to the lab host of remote was lost[^]*next: +lab status remote/);
  });

  test('with -t the command has a terminal', async () => {
    const terminal = onTerminal(['exec', '-t', 'remote', '--', 'tty; stty size; exit 7'], shared().env);
    await terminal.shows(/\/dev\/pts\/\d+\r\n31 97/);
    assert.deepEqual(await terminal.ended, { code: 7, raw: true, restored: true });
  });

  test('without -t it has none, and Ctrl-C is a signal', async () => {
    const line = "tty; trap 'echo got; exit 8' INT; echo ready; while :; do sleep 0.05; done";
    const terminal = onTerminal(['exec', 'remote', '--', line], shared().env);
    await terminal.shows(/not a tty[^]*ready/);
    terminal.send('\x03');
    await terminal.shows(/got/);
    assert.deepEqual(await terminal.ended, { code: 8, raw: false, restored: true });
  });
});

/** VmRSS in bytes, proc_pid_status(5); 0 when the process has gone. */
async function residentOf(pid: number): Promise<number> {
  const file = await open(`/proc/${pid}/status`).catch(() => undefined);
  const text = (await file?.readFile('utf8').catch(() => '')) ?? '';
  await file?.close();
  return Number(/VmRSS:\s+(\d+) kB/.exec(text)?.[1] ?? 0) * 1024;
}
