import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { connect, type Session } from '@handwired/host';
import { noSshd, testSshd, type TestSshd } from '../../host/testing/sshd.ts';
import { openRootShell, type RootShell } from './root-shell.ts';

describe('The root shell that guides are typed into', { skip: noSshd() }, () => {
  let sshd: TestSshd;
  let session: Session;
  let shell: RootShell;
  before(async () => {
    sshd = await testSshd();
    session = await connect(sshd.endpoint);
    shell = await openRootShell(session);
  });
  after(async () => {
    session.close();
    await sshd.remove();
  });

  const type = (block: string, ms = 10_000) => shell.type(block, ms);

  test('keeps what a learner sets, where they went and what they started', async () => {
    await type('cd /tmp; x="it\'s here"; sleep 60 &');
    assert.equal((await type('pwd; echo "$x"')).output.trim(), "/tmp\nit's here");
    const { status, output } = await type('kill %1; wait %1');
    assert.deepEqual({ status, output: output.trim() }, { status: 143, output: '' });
  });

  test('tells the last status, and that of a command before it that failed', async () => {
    assert.deepEqual(await type('true'), { status: 0, failed: 0, output: '' });
    assert.deepEqual(await type('(exit 3)\ntrue'), { status: 0, failed: 3, output: '' });
    assert.deepEqual(await type('false || true\nif false; then :; fi'), { status: 0, failed: 0, output: '' });
    assert.equal((await type('echo out; ls /nosuch')).status, 2);
  });

  test('shows stdout and stderr in order, as a terminal does, and here documents as typed', async () => {
    const { output } = await type("echo one; echo two >&2\ncat <<'EOF'\n\tthree $x\nEOF\nprintf '50%%\\r100%%\\n'");
    assert.equal(output, 'one\ntwo\n\tthree $x\n100%\n');
    assert.equal((await type('test -t 1 && echo terminal')).output, 'terminal\n');
  });

  test('a block that does not end is interrupted in time, and the shell goes on', async () => {
    const { trouble, output } = await type('echo waiting; cat', 300);
    assert.equal(trouble, 'it did not end in 0.3 s');
    assert.equal(output.trim(), 'waiting');
    assert.equal((await type('echo on')).output, 'on\n');
  });

  test('a block that is no shell says so, and one that ends the shell is told apart', async () => {
    const { status, output } = await type('if true');
    assert.notEqual(status, 0);
    assert.match(output, /syntax error/);
    assert.equal((await type('exit 4')).trouble, 'the shell has ended');
    assert.equal(shell.closed, true);
  });
});
