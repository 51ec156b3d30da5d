import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { seatPort } from './endpoint.ts';
import { seatTrouble } from './seat.ts';

const right = `92 48 254:32 / / ro,nodev,relatime shared:43 - ext4 /proc/self/fd/3 ro,norecovery
93 92 0:6 / /dev rw,relatime shared:44 master:2 - devtmpfs dev rw,size=233272k,mode=755
97 92 0:33 / /proc rw,nosuid,nodev,noexec,relatime shared:48 - proc proc rw
98 92 0:34 / /run rw,nosuid,nodev shared:49 - tmpfs tmpfs rw,mode=755
100 98 254:0 /etc/handwired /run/seat ro,noatime shared:51 master:1 - ext4 /dev/vda rw
106 92 0:23 / /sys rw,nosuid,nodev,noexec,relatime shared:57 master:6 - sysfs sysfs rw
113 92 0:36 / /tmp rw,nodev shared:64 - tmpfs tmpfs rw
disk 254:0 0 
disk 254:16 1 
disk 254:32 1 handwired-seat
`;

test('a seat whose root is the read-only disk is right', () => {
  assert.equal(seatTrouble(right), undefined);
});

test('a seat on the overlay, or on a disk that can be written to, is told apart', () => {
  const overlay = right.replace('254:32 / /', '254:0 / /');
  assert.match(seatTrouble(overlay) ?? '', /its root is not the disk handwired-seat but .* \(254:0\)/);
  assert.match(seatTrouble(right.replace('254:32 1', '254:32 0')) ?? '', /can be written to/);
});

test('what is mounted over a program, over all of the root or over /proc is seen', () => {
  const over = (at: string): string => `120 92 254:0 /root/liar ${at} rw - ext4 /dev/vda rw\n`;
  assert.equal(seatTrouble(right + over('/usr/bin/python3.13')), 'something is mounted on /usr/bin/python3.13');
  assert.match(seatTrouble(right + over('/')) ?? '', /its root is not the disk/);
  assert.equal(seatTrouble(right + over('/proc')), '/proc is a ext4');
});

test('an answer that is none is trouble too', () => {
  for (const answer of ['', '\n\n', 'sh: cat: not found', 'disk - -'])
    assert.equal(typeof seatTrouble(answer), 'string', answer);
});

test('the unit listens where the endpoint says', () => {
  const unit = join(import.meta.dirname, '../../../cloud-init/vm/rootfs/etc/systemd/system/lab-seat.socket');
  assert.match(readFileSync(unit, 'utf8'), new RegExp(`^ListenStream=0\\.0\\.0\\.0:${seatPort}$`, 'm'));
});
