import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { test } from 'node:test';
import { takeLock } from './lock.ts';
import { openPiped, type PipedProcess } from './process.ts';

const anyName = (): string => `test-${randomUUID()}`;

/** Another process that holds the lock and has printed its pid. It releases the lock on request or when it dies. */
async function holder(name: string): Promise<PipedProcess & { pid: number }> {
  const script = `
    import { takeLock } from ${JSON.stringify(new URL('./lock.ts', import.meta.url).href)};
    const lock = await takeLock(${JSON.stringify(name)});
    process.stdout.write(String(process.pid));
    process.stdin.once('data', () => void lock.release().then(() => process.exit()));`;
  const piped = openPiped([process.execPath, '--input-type=module', '-e', script]);
  // The test kills the holder, whose pipe may then end in EPIPE or ECONNRESET.
  piped.stream.on('error', () => undefined);
  const [pid] = (await once(piped.stream, 'data')) as [Buffer];
  return { ...piped, pid: Number(pid.toString()) };
}

test('a free lock is taken at once, and can be taken again after its release', async () => {
  const name = anyName();
  const unexpected = (): void => assert.fail('waited for nobody');
  for (let i = 0; i < 3; i += 1) await (await takeLock(name, undefined, unexpected)).release();
});

test('locks of different names do not wait for each other', async () => {
  const locks = await Promise.all([takeLock(anyName()), takeLock(anyName())]);
  await Promise.all(locks.map((lock) => lock.release()));
});

test('a second taker is told once that it waits, and gets the lock when the first lets go', async () => {
  const name = anyName();
  const first = await takeLock(name);
  const waits = Promise.withResolvers<undefined>();
  let told = 0;
  const second = takeLock(name, undefined, () => {
    told += 1;
    waits.resolve(undefined);
  });
  await waits.promise;
  await first.release();
  await (await second).release();
  assert.equal(told, 1);
});

test('never more than one of many holds it', async () => {
  const name = anyName();
  let holding = 0;
  let most = 0;
  await Promise.all(
    Array.from({ length: 20 }, async () => {
      const lock = await takeLock(name);
      holding += 1;
      most = Math.max(most, holding);
      await new Promise(setImmediate);
      holding -= 1;
      await lock.release();
    }),
  );
  assert.equal(most, 1);
});

test('a holder that is killed frees the lock at once', async () => {
  const name = anyName();
  const { pid, stream } = await holder(name);
  const waits = Promise.withResolvers<undefined>();
  const lock = takeLock(name, undefined, () => waits.resolve(undefined));
  await waits.promise;
  process.kill(pid, 'SIGKILL');
  await (await lock).release();
  stream.destroy();
});

test('a lock of another process is waited for until it lets go', async () => {
  const name = anyName();
  const { stream } = await holder(name);
  const waits = Promise.withResolvers<undefined>();
  const lock = takeLock(name, undefined, () => waits.resolve(undefined));
  await waits.promise;
  stream.write('go');
  await (await lock).release();
});

test('an abort ends the wait with its reason, and leaves the lock to others', async () => {
  const name = anyName();
  const first = await takeLock(name);
  const reason = new Error('interrupted');
  const controller = new AbortController();
  const second = takeLock(name, controller.signal, () => setImmediate(() => controller.abort(reason)));
  await assert.rejects(second, reason);
  await assert.rejects(takeLock(name, AbortSignal.abort(reason)), reason);
  // Aborted while it finds out whether another process holds the lock.
  const third = new AbortController();
  const late = takeLock(name, third.signal);
  third.abort(reason);
  await assert.rejects(late, reason);
  await first.release();
  await (await takeLock(name)).release();
});
