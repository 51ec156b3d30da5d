import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import fc from 'fast-check';
import { LabError } from './errors.ts';
import { openPiped, quote, quoteAll, run } from './process.ts';

const alive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

/** Settles when a killed process no longer exists. Its parent, here init, has to reap it first. */
async function gone(pid: number): Promise<void> {
  for (const end = Date.now() + 5000; alive(pid) && Date.now() < end; ) await setTimeout(5);
  assert.equal(alive(pid), false, `${pid} still runs`);
}

/** A script for `sh`: it starts a grandchild, writes both pids on one line, and waits. */
const family = 'trap "" HUP; sleep 60 & echo $$ $!; wait';

test('a command gives its exit code and both streams', async () => {
  assert.deepEqual(await run(['sh', '-c', 'printf out; printf err >&2']), { code: 0, stdout: 'out', stderr: 'err' });
});

test('what a command says is in English, whatever the user`s locale', async (t) => {
  for (const name of ['LC_ALL', 'LANGUAGE']) {
    const before = process.env[name];
    t.after(() => {
      if (before === undefined) Reflect.deleteProperty(process.env, name);
      else process.env[name] = before;
    });
    process.env[name] = 'de_DE.UTF-8';
  }
  const said = 'echo "$LC_ALL $LANGUAGE."';
  assert.equal((await run(['sh', '-c', said])).stdout, 'C.UTF-8 .\n');
  assert.equal((await run(['sh', '-c', said], { env: { X: '1' } })).stdout, 'C.UTF-8 .\n');
  const { stream } = openPiped(['sh', '-c', said]);
  assert.equal(Buffer.concat(await stream.toArray()).toString(), 'C.UTF-8 .\n');
});

test('input is given on stdin, and without input stdin is empty', async () => {
  assert.equal((await run(['cat'], { input: 'text' })).stdout, 'text');
  assert.equal((await run(['cat'])).stdout, '');
});

test('a failed command says its last line of stderr and the next command', async () => {
  const failed = run(['sh', '-c', 'echo first >&2; echo why >&2; exit 3'], { next: 'lab next' });
  await assert.rejects(failed, { name: 'LabError', message: 'sh failed: why', next: 'lab next' });
});

test('a failure can be an answer', async () => {
  assert.equal((await run(['sh', '-c', 'exit 3'], { allowFailure: true })).code, 3);
});

test('a program that is missing is named, and the doctor tells how to get it', async () => {
  for (const allowFailure of [false, true]) {
    await assert.rejects(run(['no-such-program', 'x'], { allowFailure }), {
      name: 'LabError',
      message: 'no-such-program is not installed',
      next: 'lab doctor',
    });
  }
});

test('a folder that is missing is not taken for a missing program', async () => {
  await assert.rejects(run(['true'], { cwd: '/no-such-folder' }), /cwd.*\/no-such-folder/);
});

test('lines of both streams are told as they come', async () => {
  const lines: string[] = [];
  await run(['sh', '-c', 'echo a; echo b; echo c >&2; printf d >&2'], { onLine: (line) => lines.push(line) });
  assert.deepEqual(lines.sort(), ['a', 'b', 'c', 'd']);
});

test('a command that runs too long is ended with its children', async () => {
  let pids: number[] = [];
  const onLine = (line: string): void => void (pids = line.split(' ').map(Number));
  await assert.rejects(run(['sh', '-c', family], { timeoutMs: 300, onLine }), {
    name: 'LabError',
    message: 'sh had not ended after 0.3 s',
  });
  assert.equal(pids.length, 2);
  await Promise.all(pids.map(gone));
});

test('an aborted command ends with its children, and gives the reason of the abort', async () => {
  const controller = new AbortController();
  const reason = new Error('interrupted');
  let pids: number[] = [];
  const onLine = (line: string): void => {
    pids = line.split(' ').map(Number);
    controller.abort(reason);
  };
  await assert.rejects(run(['sh', '-c', family], { signal: controller.signal, onLine }), reason);
  await Promise.all(pids.map(gone));
});

test('after an abort nothing is started', async () => {
  const reason = new Error('interrupted');
  await assert.rejects(run(['true'], { signal: AbortSignal.abort(reason) }), reason);
});

test('a command that ignores SIGTERM is killed', async () => {
  const controller = new AbortController();
  const onLine = (): void => controller.abort();
  const stubborn = 'trap "" TERM; echo ready; while :; do sleep 60; done';
  await assert.rejects(run(['sh', '-c', stubborn], { signal: controller.signal, onLine }), { name: 'AbortError' });
});

test('a daemon that has left the group does not hold up an abort', async () => {
  const controller = new AbortController();
  let daemon = 0;
  const onLine = (line: string): void => {
    daemon = Number(line);
    controller.abort();
  };
  const start = "setsid sh -c 'echo $$; exec sleep 60' & wait";
  await assert.rejects(run(['sh', '-c', start], { signal: controller.signal, onLine }), { name: 'AbortError' });
  process.kill(daemon, 'SIGKILL');
});

test('a piped process is one stream to and from it', async () => {
  const { stream } = openPiped(['tr', 'a-z', 'A-Z']);
  stream.end('text');
  assert.equal(Buffer.concat(await stream.toArray()).toString(), 'TEXT');
});

test('a piped process that can not be started fails its stream', async () => {
  const { stream } = openPiped(['no-such-program']);
  const [error] = (await once(stream, 'error').catch((thrown: unknown) => [thrown])) as [NodeJS.ErrnoException];
  assert.equal(error.code, 'ENOENT');
});

test('the end of what a piped process said to stderr is kept, and not more', async () => {
  const { stream, lastWords } = openPiped([
    'sh',
    '-c',
    'head -c 100000 /dev/zero | tr "\\0" x >&2; printf end >&2; exec 2>&-; cat',
  ]);
  stream.resume();
  stream.end();
  const words = await lastWords();
  assert.ok(words.endsWith('xend'));
  assert.equal(words.length, 4096);
});

test('a piped process that goes on is not waited for', async () => {
  const { stream, lastWords } = openPiped(['sh', '-c', 'trap "" TERM; echo word >&2; cat; sleep 2']);
  stream.end('x');
  await once(stream, 'data');
  assert.equal(await lastWords(), 'word\n');
  stream.destroy();
});

test('what run throws is always text for a user', async () => {
  const error: unknown = await run(['sh', '-c', 'kill -9 $$']).catch((thrown: unknown) => thrown);
  assert.ok(error instanceof LabError);
  assert.match(error.message, /^sh failed: .*SIGKILL/);
  assert.equal(error.where, 'sh -c kill -9 $$');
});

const shells = ['dash', 'bash', 'sh'];

/** The words as a shell reads them. `printf` ends each word by a NUL, which no word can hold. */
async function readBack(shell: string, words: readonly string[]): Promise<string[]> {
  const { stdout } = await run([shell, '-c', `printf '%s\\0' ${quoteAll(words)}`]);
  return stdout.split('\0').slice(0, -1);
}

/** Random words of characters that have a meaning to shells and of any other characters. */
const randomWords = fc.array(
  fc.string({
    unit: fc.oneof(
      fc.constantFrom(...'ab \t\n\r\'"\\$`!*?[]{}()<>|&;#~=%^-+/.,:@\x01\x07\x1b\x7f'.split('')),
      fc.constantFrom('é', '→', '🧵', '\u0081', '\u0088'),
      fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }).filter((character) => character !== '\0'),
    ),
    maxLength: 40,
    size: 'max',
  }),
  { minLength: 1, maxLength: 200, size: 'max' },
);

test('plain words stay as they are, so that a guide can be read', () => {
  for (const word of ['br0', '172.18.0.1/16', 'veth-ct1', 'net.ipv4.ip_forward=1', '-o', 'a,b', 'user@host', '50%']) {
    assert.equal(quote(word), word);
  }
});

test('a single quote is closed, escaped and opened again, never written as $..', () => {
  assert.equal(quote("it's"), `'it'\\''s'`);
  assert.equal(quote('a\nb'), `'a\nb'`);
  assert.equal(quote(''), `''`);
});

test('words that are grammar or an assignment are quoted', () => {
  for (const word of ['if', 'done', 'time', 'PATH=/x', 'a+=b']) assert.equal(quote(word), `'${word}'`);
});

test('a word with a NUL is refused, for no argument can hold it', () => {
  assert.throws(() => quote('a\0b'), TypeError);
});

for (const shell of shells) {
  test(`random words come back from ${shell} as they were`, () =>
    fc.assert(
      fc.asyncProperty(randomWords, async (words) => assert.deepEqual(await readBack(shell, words), words)),
      { numRuns: 20 },
    ));

  test(`every single byte of ASCII comes back from ${shell}`, async () => {
    const words = Array.from({ length: 127 }, (_, i) => String.fromCharCode(i + 1)).flatMap((c) => [
      c,
      `${c}x`,
      `x${c}`,
    ]);
    assert.deepEqual(await readBack(shell, words), words);
  });

  test(`${shell} runs a program whose name is a reserved word or looks like an assignment`, async () => {
    for (const name of ['if', 'PATH=/nowhere']) {
      const { code } = await run([shell, '-c', quoteAll([name, 'x'])], { allowFailure: true });
      assert.equal(code, 127, name);
    }
  });
}
