import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Endpoint } from './endpoint.ts';
import { LabError } from './errors.ts';
import { openSeat } from './seat.ts';

const endpointOf = (script: string): Endpoint => ({
  lab: 'own',
  driver: 'sandbox',
  dial: { command: ['/bin/false'] },
  user: 'root',
  privateKeyFile: '/nowhere',
  hostKey: 'none',
  seat: { way: { argv: ['/bin/sh', '-c', script] }, viewPid: 1 },
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
