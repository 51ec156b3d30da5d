import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findSilence, readSilence } from './virsh.ts';

for (const [title, uri, stderr, why, next] of [
  [
    'a port where nothing listens',
    'qemu+tcp://127.0.0.1:1/system',
    "unable to connect to server at '127.0.0.1:1': Connection refused",
    /^127\.0\.0\.1:1 refused the connection/,
    /^virsh -c qemu\+tcp:\/\/127\.0\.0\.1:1\/system version$/,
  ],
  [
    'a machine without an ssh server',
    'qemu+ssh://127.0.0.1:1/system',
    'Cannot recv data: ssh: connect to host 127.0.0.1 port 1: Connection refused: Connection reset by peer',
    /^127\.0\.0\.1 port 1 refused the connection/,
    /^virsh -c /,
  ],
  [
    'a name that ssh does not find',
    'qemu+ssh://nosuch.invalid/system',
    'Cannot recv data: ssh: Could not resolve hostname nosuch.invalid: Name or service not known: Connection reset by peer',
    /^no machine is named nosuch\.invalid$/,
    /^getent hosts nosuch\.invalid$/,
  ],
  [
    'a name that libvirt does not find',
    'qemu+tcp://nosuch.invalid/system',
    "Unable to resolve address 'nosuch.invalid' service '16509': Name or service not known",
    /^no machine is named nosuch\.invalid$/,
    /^getent hosts nosuch\.invalid$/,
  ],
  [
    'a socket that is not there',
    'qemu:///system',
    "Failed to connect socket to '/var/run/libvirt/libvirt-sock': No such file or directory",
    /^there is no socket \/var\/run\/libvirt\/libvirt-sock/,
    /^ls -l \/var\/run\/libvirt\/libvirt-sock$/,
  ],
  [
    'a socket that we may not use',
    'qemu:///system',
    "Failed to connect socket to '/tmp/sock': Permission denied",
    /^you may not use its socket \/tmp\/sock$/,
    /^ls -l \/tmp\/sock; id$/,
  ],
  [
    'a login that is refused',
    'qemu+ssh://root@far/system',
    'Cannot recv data: root@far: Permission denied (publickey): Connection reset by peer',
    /^it did not let us in \(Permission denied\)$/,
    /^virsh -c /,
  ],
  [
    'anything else',
    'qemu:///system',
    'internal error: no more threads',
    /^internal error: no more threads$/,
    /^virsh -c /,
  ],
  ['no word', 'qemu:///system', '', /^virsh gave no reason$/, /^virsh -c /],
] as const)
  test(`of ${title} it is said that it is so, with a command that shows it`, () => {
    const silence = readSilence(
      uri,
      stderr === '' ? '' : `error: failed to connect to the hypervisor\nerror: ${stderr}\n`,
    );
    assert.match(silence.why, why);
    assert.match(silence.next, next);
  });

test('a hypervisor that is not QEMU is named before anything is asked', async () => {
  for (const uri of ['xen:///', 'test:///default', 'lxc+ssh://far/']) {
    const silence = await findSilence(uri, 2000);
    assert.match(silence?.why ?? '', /labs run on QEMU, and (xen|test|lxc) is another hypervisor/);
    assert.match(silence?.next ?? '', /^lab up /);
  }
});
