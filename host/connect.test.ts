import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { test } from 'node:test';
import { openSeat, probeGreeting } from './connect.ts';
import { LabError } from './errors.ts';
import type { Endpoint } from './lab.ts';

const { signal } = new AbortController();
const said = (command: string, timeoutMs = 5000): Promise<string | undefined> =>
  probeGreeting({ command: ['sh', '-c', command] }, { timeoutMs, signal });

test('an ssh server`s first line is a greeting, over a command and over TCP', async () => {
  assert.equal(await said('echo SSH-2.0-OpenSSH_10.0; cat'), undefined);
  const server = createServer((socket) => socket.on('error', () => undefined).write('SSH-2.0-OpenSSH_10.0\r\n'));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  const way = { address: '127.0.0.1', port };
  assert.equal(await probeGreeting(way, { timeoutMs: 5000, signal }), undefined);
  await new Promise((closed) => server.close(closed));
  assert.match((await probeGreeting(way, { timeoutMs: 5000, signal })) ?? '', /ECONNREFUSED/);
});

test('what can`t greet says why: its own last words, another protocol, silence', async () => {
  assert.equal(await said('echo no route >&2; exit 1'), 'no route');
  assert.equal(await said('exit 1'), 'the connection was closed before a greeting');
  assert.equal(await said('echo HTTP/1.1 400; cat'), 'something answers that is no ssh server');
  assert.equal(await said('cat', 50), 'no greeting in 0.05 s');
  assert.match((await probeGreeting({ command: ['/nonexistent'] }, { timeoutMs: 5000, signal })) ?? '', /ENOENT/);
});

test('an abort ends the wait with its reason', async () => {
  const abort = new AbortController();
  const wait = probeGreeting({ command: ['cat'] }, { timeoutMs: 60_000, signal: abort.signal });
  abort.abort(new Error('enough'));
  await assert.rejects(wait, /enough/);
});

const endpointOf = (script: string): Endpoint => ({
  lab: 'own',
  driver: 'sandbox',
  dial: { command: ['/bin/false'] },
  user: 'root',
  privateKeyFile: '/nowhere',
  hostKey: 'none',
  seat: { argv: ['/bin/sh', '-c', script], viewPid: 1 },
});

test('A lab host that is gone is one error with the next command that its way says, and the name of the lab', async () => {
  const seat = await openSeat(endpointOf('echo "its init process 7 is gone. Next: lab up" >&2; exit 69'));
  await assert.rejects(seat.exec(['/bin/true']), (error) => {
    assert.ok(error instanceof LabError);
    assert.deepEqual([error.message, error.where, error.next], ['its init process 7 is gone', 'own', 'lab up own']);
    return true;
  });
});

test('Any other exit code is the answer of the program', async () => {
  const seat = await openSeat(endpointOf('exit 7'));
  assert.equal((await seat.exec(['/bin/true'])).code, 7);
});
