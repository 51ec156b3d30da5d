import assert from 'node:assert/strict';
import { BlockList, isIPv4 } from 'node:net';
import { test } from 'node:test';
import { defaultPlan, derivePlan, Plan } from './plan.ts';
import { world } from './world.ts';

test('the default plan is the literal topology of the course', () => {
  assert.equal(defaultPlan.bridge, 'br0');
  assert.equal(defaultPlan.subnet, '172.18.0.0/16');
  assert.equal(defaultPlan.gateway, '172.18.0.1');
  assert.deepEqual(defaultPlan.ct1, { name: 'ct1', veth: 'veth-ct1', peer: 'veth-ct1-ns', address: '172.18.0.11' });
  assert.deepEqual(defaultPlan.ct2, { name: 'ct2', veth: 'veth-ct2', peer: 'veth-ct2-ns', address: '172.18.0.12' });
  assert.equal(defaultPlan.hostPort, 8080);
  assert.equal(defaultPlan.containerPort, 80);
  assert.equal(defaultPlan.resolver, '1.1.1.1');
  assert.deepEqual(Plan.parse(defaultPlan), defaultPlan);
});

const students = [...Array.from({ length: 2000 }, (_, i) => `student-${i}`), '', 'ä', "o'neil", 'x'.repeat(10_000)];

test('every student id gives a plan that can be built', () => {
  for (const id of students) {
    const plan = derivePlan(id);
    assert.deepEqual(Plan.parse(plan), plan);
    const subnet = new BlockList();
    const [network = '', prefix] = plan.subnet.split('/');
    subnet.addSubnet(network, plan.prefix);
    assert.equal(Number(prefix), plan.prefix);
    const addresses = [plan.gateway, plan.ct1.address, plan.ct2.address];
    for (const address of addresses)
      assert.ok(isIPv4(address) && subnet.check(address), `${address} in ${plan.subnet}`);
    assert.equal(new Set(addresses).size, 3);
    for (const link of [plan.bridge, plan.ct1.veth, plan.ct1.peer, plan.ct2.veth, plan.ct2.peer]) {
      assert.ok(link.length < 16, `${link} fits IFNAMSIZ`);
    }
    assert.ok(plan.hostPort >= 8000 && plan.hostPort < 8900 && plan.hostPort !== plan.containerPort);
  }
});

test("no student's subnet overlaps the world or leaves 172.16.0.0/12", () => {
  const rfc1918 = new BlockList();
  rfc1918.addSubnet('172.16.0.0', 12);
  for (const { subnet } of students.map(derivePlan)) {
    assert.ok(rfc1918.check(subnet.split('/')[0] ?? ''));
    const block = new BlockList();
    block.addSubnet(subnet.split('/')[0] ?? '', 16);
    for (const address of [world.uplink.address, world.outside, world.lanPeer, world.site.address]) {
      assert.equal(block.check(address), false);
    }
  }
});

test('the same id gives the same plan, and different ids differ', () => {
  assert.deepEqual(derivePlan('ada'), derivePlan('ada'));
  const distinct = new Set(students.map((id) => JSON.stringify(derivePlan(id))));
  assert.ok(distinct.size > students.length * 0.85, `${distinct.size} of ${students.length}`);
});
