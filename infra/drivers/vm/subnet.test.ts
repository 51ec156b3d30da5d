import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { pickSubnet, listSubnets } from './subnet.ts';

test('an instance id gives a subnet with the hypervisor on its first and the lab host on its second address', () => {
  const { subnet, gateway, address, prefix } = pickSubnet('abc', []);
  assert.match(subnet, /^10\.213\.\d+\.\d+\/28$/);
  const [network = ''] = subnet.split('/');
  const last = Number(network.split('.')[3]);
  assert.equal(last % 16, 0);
  assert.equal(Number(gateway.split('.')[3]), last + 1);
  assert.equal(Number(address.split('.')[3]), last + 2);
  assert.equal(prefix, 28);
});

test('a subnet that is taken, or lies in one that is, is passed over', () => {
  const first = pickSubnet('abc', []).subnet;
  const second = pickSubnet('abc', [first]).subnet;
  assert.notEqual(second, first);
  const wide = `${first.split('.').slice(0, 3).join('.')}.0/24`;
  const third = pickSubnet('abc', [wide]).subnet;
  assert.notEqual(third.split('.')[2], first.split('.')[2]);
});

test('when all of the block is taken there is an error that says what to do', () => {
  assert.throws(() => pickSubnet('abc', ['10.0.0.0/8']), { name: 'LabError', next: 'lab destroy --all' });
});

test('the addresses of a libvirt network are found with netmask and with prefix', () => {
  const xml = readFileSync(join(import.meta.dirname, 'fixtures/network.xml'), 'utf8');
  assert.deepEqual(listSubnets(xml), ['10.213.107.209/28']);
  assert.deepEqual(listSubnets("<ip address='192.168.122.1' netmask='255.255.255.0'>"), ['192.168.122.1/24']);
});
