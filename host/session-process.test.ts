import assert from 'node:assert/strict';
import { Duplex, PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { type Channel, ChannelProcess } from './session-process.ts';

class FakeChannel extends Duplex implements Channel {
  readonly stderr = new PassThrough();
  override _read(): void {
    // The test pushes.
  }
  override _write(_chunk: Buffer, _encoding: string, done: () => void): void {
    done();
  }
  setWindow(): void {
    // No terminal.
  }
  close(): void {
    this.push(null);
  }
}

/** A process that has ended. `rounds` gives the bytes that each later round trip brings; the last number repeats. */
async function afterExit(rounds: number[]): Promise<{ trips: number; stdout: string }> {
  const channel = new FakeChannel();
  let trips = 0;
  const endless = Promise.withResolvers<never>();
  const roundTrip = async (): Promise<void> => {
    const size = rounds[Math.min(trips, rounds.length - 1)] ?? 0;
    trips += 1;
    if (trips > 1000) endless.reject(new Error('it does not end'));
    if (trips > 1000) throw new Error('the connection is closed');
    if (size > 0) channel.push(Buffer.alloc(size, trips % 10 === 0 ? 'x' : String(trips % 10)));
    await turn();
    await turn();
  };
  const wire = { roundTrip, signal: () => Promise.resolve(), lost: () => undefined, where: 'test', next: 'none' };
  const process = new ChannelProcess(channel, wire, undefined);
  const stdout = text(process.stdout);
  process.stderr.resume();
  channel.push('begin');
  channel.emit('exit', 0);
  assert.equal((await Promise.race([process.ended, endless.promise])).code, 0);
  return { trips, stdout: await stdout };
}

test('a background child that writes a line in each round trip does not hold its command up', async () => {
  const { trips, stdout } = await afterExit([5]);
  assert.ok(trips <= 3, `${trips} round trips`);
  assert.match(stdout, /^begin/);
});

test('what the pipes still held is taken to its end: as long as full reads come, there may be more', async () => {
  const held = [32_768, 32_768, 16_384, 32_768, 100, 5];
  const { stdout } = await afterExit(held);
  const taken = held.slice(0, 5).reduce((sum, size) => sum + size, 'begin'.length);
  assert.ok(stdout.length >= taken, `${stdout.length} of ${taken} bytes`);
});

test('a background child that writes without end is followed no further than what can lie on the way', async () => {
  const { trips } = await afterExit([65_536]);
  assert.ok(trips > 60 && trips < 80, `${trips} round trips`);
});
