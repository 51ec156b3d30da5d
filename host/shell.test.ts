import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { after, before, describe, test } from 'node:test';
import { $ as local, type ProcessOutput } from 'zx/core';
import { connect } from './connect.ts';
import { LabError } from './errors.ts';
import type { Session } from './session.ts';
import { createRecordingShell, type Shell, createShell, describeTrouble } from './shell.ts';
import { noSshd, testSshd, type TestSshd } from './testing/sshd.ts';

const failureOf = async (work: Promise<ProcessOutput>): Promise<ProcessOutput> =>
  work.then(
    () => assert.fail('it worked'),
    (thrown: unknown) => thrown as ProcessOutput,
  );

test('a recording shell writes commands down, quoted, and runs none', async () => {
  const { $, commands } = createRecordingShell();
  const words = ['a b', "it's"];
  assert.equal((await $`touch ${words} /tmp/${'x'}`).exitCode, 0);
  await $`ip netns add ${'ct1'} && false`;
  assert.deepEqual(commands, [`touch 'a b' 'it'\\''s' /tmp/x`, 'ip netns add ct1 && false']);
});

test('a command that is only written, not run, has its text', () => {
  const { $, commands } = createRecordingShell();
  assert.equal($({ halt: true })`ip link add ${'br 0'}`.cmd, "ip link add 'br 0'");
  assert.deepEqual(commands, []);
});

test("zx's own shell runs nothing on this machine", async () => {
  createRecordingShell();
  // A ProcessOutput as text is what its command printed, so this reads its message.
  const refused = ({ message }: Error): boolean => message.includes('zx runs commands on lab hosts only');
  await assert.rejects(local`true`, refused);
});

describe("zx's $ over a session", { skip: noSshd() }, () => {
  let sshd: TestSshd;
  let session: Session;
  let $: Shell;
  const seen: string[] = [];

  before(async () => {
    sshd = await testSshd();
    session = await connect(sshd.endpoint);
    $ = createShell(session, { onCommand: (line) => seen.push(line) });
  });
  after(async () => {
    session.close();
    await sshd.remove();
  });

  test('a command runs on the lab host with its values quoted, and is shown', async () => {
    const output = await $`printf '%s|' ${['a b', "it's", '$HOME']}; echo "$SSH_CLIENT" >&2`;
    assert.deepEqual([output.stdout, output.exitCode], ["a b|it's|$HOME|", 0]);
    assert.match(output.stderr, /\d/);
    assert.equal(seen.at(-1), `printf '%s|' 'a b' 'it'\\''s' '$HOME'; echo "$SSH_CLIENT" >&2`);
  });

  test("a command that fails throws its output, with the lab host's exit code", async () => {
    const failure = await failureOf($`echo out; echo err >&2; exit 4`);
    assert.deepEqual([failure.exitCode, failure.stdout, failure.stderr], [4, 'out\n', 'err\n']);
    assert.equal(describeTrouble(failure), undefined);
  });

  test('a signal that ended the command is told by its name', async () => {
    const failure = await failureOf($`kill -9 $$`);
    assert.deepEqual([failure.exitCode, failure.signal], [null, 'SIGKILL']);
  });

  test('nothrow makes a failure an answer', async () => {
    assert.equal(await $`exit 5`.nothrow().exitCode, 5);
    assert.equal((await $({ nothrow: true })`exit 6`).exitCode, 6);
  });

  test('input is given, lines and text come back', async () => {
    assert.deepEqual(await $({ input: 'one\ntwo\n' })`cat -n | tr -d ' \t'`.lines(), ['1one', '2two']);
    assert.equal(await $`echo text`.text(), 'text\n');
  });

  test('a pipe goes to a command on the same lab host, or to a stream', async () => {
    const { stdout } = await $`echo hello; echo no >&2`.pipe`tr a-z A-Z; echo "$SSH_CLIENT" >&2`;
    assert.equal(stdout, 'HELLO\n');
    assert.equal((await $`echo no; echo err >&2`.pipe.stderr`cat`).stdout, 'err\n');
    assert.equal((await $`echo a`.pipe($`cat`).pipe($`cat`)).stdout, 'a\n');
    const target = new PassThrough();
    await $`echo streamed`.pipe(target);
    assert.equal(String(target.read()), 'streamed\n');
  });

  test('commands run at once', async () => {
    const outputs = await Promise.all(Array.from({ length: 20 }, (_, i) => $`echo ${i}`));
    assert.deepEqual(
      outputs.map((output) => Number(output.stdout)),
      outputs.map((_, i) => i),
    );
  });

  test('kill and timeout signal the command on the lab host, not on this machine', async () => {
    const killed = $`echo ready; sleep 70.1`.nothrow();
    // Not SIGINT: dash catches it, and loses a SIGINT that comes while it starts its last command.
    killed.stdout.once('data', () => void killed.kill('SIGUSR1'));
    assert.equal((await killed).signal, 'SIGUSR1');
    assert.equal((await $({ timeout: '200ms', nothrow: true })`sleep 70.1`).signal, 'SIGTERM');
  });

  test('an abort ends what runs with its reason as the cause, and starts nothing more', async () => {
    const controller = new AbortController();
    const reason = new Error('interrupted');
    const $$ = createShell(session, { signal: controller.signal });
    const running = $$`echo ready; sleep 70.2`;
    running.stdout.once('data', () => controller.abort(reason));
    assert.equal((await failureOf(running)).cause, reason);
    assert.equal((await failureOf($$`true`)).cause, reason);
    // The command ends a moment later, because the signal travels separately. The timeout of `exec` bounds the wait.
    assert.equal((await session.exec(`while pgrep -f '^sleep 70[.]2$'; do sleep 0.05; done`)).code, 0);
  });

  test('a command that takes too long or writes too much is trouble of ours, under nothrow too', async () => {
    const late = await createShell(session, { timeoutMs: 200 })`sleep 70.3`.nothrow();
    assert.match(describeTrouble(late)?.message ?? '', /had not ended after 0.2 s/);
    const much = await createShell(session, { maxBytes: 1000 })`yes 70.4`.nothrow();
    assert.match(describeTrouble(much)?.message ?? '', /more than 1000 bytes/);
    assert.deepEqual([late.exitCode, much.exitCode], [null, null]);
  });

  test('a lost connection is trouble of ours, and no exit code', async () => {
    const other = await connect(sshd.endpoint);
    const output = await createShell(other)`kill -9 $PPID; sleep 1`.nothrow();
    assert.equal(output.exitCode, null);
    assert.ok(describeTrouble(output) instanceof LabError);
    assert.equal(describeTrouble(output)?.next, 'lab status test');
  });
});
