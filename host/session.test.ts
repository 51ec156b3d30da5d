import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { pipeline } from 'node:stream';
import { after, before, describe, test } from 'node:test';
import { connect } from './connect.ts';
import { LabError } from './errors.ts';
import type { SshTarget } from './lab.ts';
import { openPiped } from './process.ts';
import type { Session } from './session.ts';
import { noSshd, testSshd, type TestSshd } from './testing/sshd.ts';

let sshd: TestSshd;
let session: Session;

async function troubleOf(work: Promise<unknown>): Promise<LabError> {
  const error: unknown = await work.then(
    () => assert.fail('it worked'),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof LabError, String(error));
  return error;
}

/** Settles when no process has `word` in its command line any more. */
async function noneRuns(word: string): Promise<void> {
  for (const end = Date.now() + 5000; Date.now() < end; ) {
    // The bracket keeps pgrep's own shell from being found.
    const { code } = await session.exec(`pgrep -f '[${word[0] ?? ''}]${word.slice(1)}'`);
    if (code === 1) return;
  }
  assert.fail(`${word} still runs`);
}

describe('a session to a real sshd', { skip: noSshd() }, () => {
  before(async () => {
    sshd = await testSshd();
    session = await connect(sshd.endpoint);
  });
  after(async () => {
    session.close();
    await sshd.remove();
  });

  test('a command gives its exit code and both streams', async () => {
    const result = await session.exec('echo out; echo err >&2; exit 3');
    assert.deepEqual(result, { code: 3, signal: null, stdout: 'out\n', stderr: 'err\n' });
  });

  test('an argv reaches the program as it is', async () => {
    const words = ['a b', "it's", '$HOME', '', 'x\ny', '`id`', '→'];
    assert.equal((await session.exec(['printf', '%s\\0', ...words])).stdout, words.map((word) => `${word}\0`).join(''));
  });

  test('a command line is read by sh, whatever the login shell is', async () => {
    assert.equal((await session.exec('echo "${BASH_VERSION:-none}"; kill -l >/dev/null')).stdout, 'none\n');
  });

  test('a command that ends by a signal has no code but a signal', async () => {
    const { code, signal } = await session.exec('kill -9 $$');
    assert.deepEqual([code, signal], [null, 'KILL']);
  });

  test('a program that is missing gives 127, and one that may not be run 126', async () => {
    assert.equal((await session.exec(['no-such-program'])).code, 127);
    assert.equal((await session.exec(['/etc/passwd'])).code, 126);
  });

  test('input passes as bytes, and without input stdin is empty', async () => {
    const bytes = randomBytes(3_000_000);
    const { stdout } = await session.exec('sha256sum', { input: bytes });
    const local = createHash('sha256').update(bytes).digest('hex');
    assert.equal(stdout, `${local}  -\n`);
    assert.equal((await session.exec('cat')).stdout, '');
  });

  test('a command that does not read its input ends all the same', async () => {
    assert.equal((await session.exec('exit 4', { input: randomBytes(8_000_000) })).code, 4);
  });

  test('a command line may be as long as an argument can be, and a longer one is refused here', async () => {
    assert.equal((await session.exec(`echo ${'x'.repeat(130_000)} | wc -c`)).stdout, '130001\n');
    await assert.rejects(session.exec(`echo ${'x'.repeat(131_000)}`), TypeError);
    assert.equal((await session.exec('sh', { input: `echo ${'x'.repeat(500_000)} | wc -c` })).stdout, '500001\n');
  });

  test('invalid UTF-8 becomes replacement characters', async () => {
    assert.equal((await session.exec(String.raw`printf 'a\377b'`)).stdout, 'a\ufffdb');
  });

  test('what a process leaves in the background does not hold its command up', async () => {
    const { code, stdout, stderr } = await session.exec('sleep 60 & echo $! >&2; echo done; exit 5');
    assert.deepEqual([code, stdout], [5, 'done\n']);
    assert.equal((await session.exec(['kill', stderr.trim()])).code, 0);
  });

  test('nothing that was written before the exit is lost, whatever runs on in the background', async () => {
    const backgrounds = ['', 'sleep 60 &', '(while :; do echo late; sleep 0.001; done) &'];
    const rounds = Array.from({ length: 60 }, async (_, i) => {
      const size = 1 + ((i * 99_991) % 400_000);
      const background = backgrounds[i % 3] ?? '';
      const pid = background && 'echo $! >&2;';
      const { stdout, stderr } = await session.exec(
        `${background} ${pid} head -c ${size} /dev/zero | tr '\\0' x; printf END`,
      );
      assert.equal(stdout.replaceAll('late\n', '').indexOf('END'), size);
      if (pid) await session.exec(['kill', stderr.trim()]);
    });
    await Promise.all(rounds);
  });

  test('a background writer without end does not hold its command up either', async () => {
    const { code, stderr } = await session.exec('yes & echo $! >&2; exit 6');
    assert.equal(code, 6);
    await session.exec(['kill', stderr.trim()]);
  });

  test("more commands at once than sshd's MaxSessions all run", async () => {
    const results = await Promise.all(Array.from({ length: 60 }, (_, i) => session.exec(`echo ${i}`)));
    assert.deepEqual(
      results.map(({ stdout }) => Number(stdout)),
      results.map((_, i) => i),
    );
  });

  test('a command that takes too long is an error of ours, and its process group ends', async () => {
    const error = await troubleOf(session.exec('sleep 61.1 & sleep 61.1', { timeoutMs: 200 }));
    assert.match(error.message, /had not ended after 0.2 s/);
    assert.deepEqual([error.where, error.next], ['sleep 61.1 & sleep 61.1', 'lab status test']);
    await noneRuns('sleep 61.1');
  });

  test('an aborted command gives the reason of the abort, and its process group ends', async () => {
    const controller = new AbortController();
    const reason = new Error('interrupted');
    const work = session.exec('sleep 62.1 & sleep 62.1', { signal: controller.signal });
    setImmediate(() => controller.abort(reason));
    await assert.rejects(work, reason);
    await assert.rejects(session.exec('true', { signal: controller.signal }), reason);
    await noneRuns('sleep 62.1');
  });

  test('output beyond the bound is an error of ours, and is not kept', async () => {
    const error = await troubleOf(session.exec('yes 64.1', { maxBytes: 100_000 }));
    assert.match(error.message, /more than 100000 bytes/);
    await noneRuns('yes 64.1');
  });

  test('a stream passes stdin, both outputs and signals through as they come', async () => {
    const remote = await session.stream(
      'trap "echo got; exit 9" USR1; echo ready; while read line; do echo "$line" >&2; done',
    );
    assert.equal(String((await once(remote.stdout, 'data'))[0]), 'ready\n');
    remote.stdin.write('hello\n');
    assert.equal(String((await once(remote.stderr, 'data'))[0]), 'hello\n');
    remote.kill('USR1');
    assert.equal(String((await once(remote.stdout, 'data'))[0]), 'got\n');
    assert.deepEqual(await remote.ended, { code: 9, signal: null });
  });

  test('a pty has the size it was given, and the new one after a resize', async () => {
    const remote = await session.stream('stty size; read line; stty size', {
      pty: { rows: 31, columns: 97, term: 'vt100' },
    });
    let text = '';
    remote.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
    await once(remote.stdout, 'data');
    remote.resize(44, 101);
    remote.stdin.write('\n');
    assert.equal((await remote.ended).code, 0);
    assert.match(text, /31 97[^]*44 101/);
  });

  test('without a command a stream is the login shell', async () => {
    const remote = await session.stream(undefined);
    remote.stdin.end('echo "$0"; exit 7\n');
    remote.stdout.resume();
    assert.equal((await remote.ended).code, 7);
  });

  test('a reader that is slow stops the writer, and loses nothing', async () => {
    const remote = await session.stream('head -c 20000000 /dev/zero');
    let size = 0;
    remote.stderr.resume();
    for await (const chunk of remote.stdout) {
      size += (chunk as Buffer).length;
      await new Promise(setImmediate);
    }
    assert.equal(size, 20_000_000);
    assert.equal((await remote.ended).code, 0);
  });

  test('a connection that is cut ends the command on the lab host', async () => {
    const other = await connect(sshd.endpoint);
    const remote = await other.stream('echo on; exec sleep 63.1');
    await once(remote.stdout, 'data');
    other.close();
    await assert.rejects(remote.ended, LabError);
    await noneRuns('sleep 63.1');
  });

  test('a connection lost in the middle is an error with the next command, never an exit code', async () => {
    const other = await connect(sshd.endpoint);
    // The session's shell is a child of the sshd that serves this connection.
    const error = await troubleOf(other.exec('kill -9 $PPID; sleep 1'));
    assert.match(error.message, /connection to the lab host of test was lost/);
    assert.equal(error.next, 'lab status test');
    assert.equal((await troubleOf(other.exec('true'))).next, 'lab status test');
  });

  test('a session that was closed runs nothing more', async () => {
    const other = await connect(sshd.endpoint);
    other.close();
    assert.match((await troubleOf(other.exec('true'))).message, /session was closed/);
  });
});

describe('connecting', { skip: noSshd() }, () => {
  const change = (change: Partial<SshTarget>): SshTarget => ({ ...sshd.endpoint, ...change });
  before(async () => void (sshd = await testSshd()));
  after(() => sshd.remove());

  test('another host key than the pinned one is refused before our key is shown', async () => {
    const other = await testSshd();
    const error = await troubleOf(connect(change({ hostKey: other.endpoint.hostKey })));
    assert.match(error.message, /another ssh host key/);
    assert.deepEqual([error.next, error.code], ['lab reset test', 'broken']);
    await other.remove();
  });

  test('a lab host that refuses our key says so', async () => {
    const other = await testSshd();
    const error = await troubleOf(connect(change({ privateKeyFile: other.endpoint.privateKeyFile })));
    assert.match(error.message, /refused the lab's key/);
    assert.equal(error.code, 'broken');
    await other.remove();
  });

  test('a key of ours that is missing or damaged says which file', async () => {
    const missing = await troubleOf(connect(change({ privateKeyFile: '/no/such/key' })));
    assert.deepEqual([missing.where, missing.next], ['/no/such/key', 'lab reset test']);
    const damaged = join(sshd.dir, 'damaged');
    await writeFile(damaged, 'no key');
    assert.match((await troubleOf(connect(change({ privateKeyFile: damaged })))).message, /key/i);
  });

  test('a transport that fails says its last words', async () => {
    const dial = { command: ['sh', '-c', 'echo "the namespace is gone" >&2; exit 1'] };
    const error = await troubleOf(connect(change({ dial })));
    assert.match(error.message, /the namespace is gone/);
    assert.deepEqual([error.next, error.where], ['lab status test', dial.command.join(' ')]);
    assert.equal(error.code, 'unreachable');
  });

  test('a transport that knows what mends the lab host has the last word', async () => {
    for (const [command, code] of [
      ['lab reset', 'broken'],
      ['lab up', 'unreachable'],
    ]) {
      const dial = { command: ['sh', '-c', `echo "it is gone. Next: ${command}" >&2; exit 1`] };
      const error = await troubleOf(connect(change({ dial })));
      assert.deepEqual([error.next, error.code], [`${command} test`, code]);
    }
  });

  test('a transport program that is missing is named', async () => {
    const error = await troubleOf(connect(change({ dial: { command: ['no-such-program'] } })));
    assert.match(error.message, /no-such-program/);
  });

  test('a port where nobody listens, and one where something else does', async () => {
    const server = createServer((socket) =>
      socket
        .resume()
        .on('error', () => undefined)
        .end('HTTP/1.1 400 Bad Request\r\n\r\n'),
    );
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    const dial = { address: '127.0.0.1', port };
    assert.match((await troubleOf(connect(change({ dial })))).message, /does not answer over ssh/);
    server.close();
    await once(server, 'close');
    const error = await troubleOf(connect(change({ dial })));
    assert.match(error.message, /ECONNREFUSED/);
    assert.equal(error.where, `127.0.0.1:${port}`);
  });

  test('a lab host that says nothing is given up in time, and an abort ends the wait at once', async () => {
    const dial = { command: ['cat', '/dev/zero'] };
    const silent = { command: ['sleep', '60'] };
    for (const each of [dial, silent]) {
      assert.ok((await troubleOf(connect(change({ dial: each }), { timeoutMs: 300 }))).next);
    }
    const reason = new Error('interrupted');
    const controller = new AbortController();
    setImmediate(() => controller.abort(reason));
    await assert.rejects(connect(change({ dial: silent }), { signal: controller.signal }), reason);
  });

  test('over TCP it works the same', async () => {
    // Each connection becomes the stdio of an sshd, as with Accept=yes in systemd.
    const server = createServer((socket) => {
      const { stream } = openPiped('command' in sshd.endpoint.dial ? sshd.endpoint.dial.command : []);
      pipeline(socket, stream, socket, () => undefined);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    const other = await connect(change({ dial: { address: '127.0.0.1', port } }));
    assert.equal((await other.exec('echo tcp')).stdout, 'tcp\n');
    other.close();
    server.close();
  });
});
