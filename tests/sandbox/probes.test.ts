import assert from 'node:assert/strict';
import { test } from 'node:test';
import { world } from '@handwired/host';
import { build } from '@handwired/labs';
import { runProbes } from '../../checker/evidence/run.ts';
import { course, withGraded } from './grading.ts';

test('Who is asked for by ARP when the experiments begin is waited for until the kernel asks again, a second later', () =>
  withGraded({}, async ({ host, baseline, type }) => {
    const { session, seat, plan } = host;
    await build(session, plan, { chapters: course });
    // ct1 knows the gateway: with a question of its own it would tell the lab host its address.
    await type(`ip netns exec ${plan.ct1.name} ping -c 1 ${plan.gateway}
ip link set ${plan.ct1.veth} nomaster
ip neigh flush dev ${plan.bridge}
ping -c 1 -W 1 ${plan.ct1.address} >/dev/null 2>&1 &
until ip neigh show ${plan.ct1.address} | grep -q INCOMPLETE; do :; done
ip link set ${plan.ct1.veth} master ${plan.bridge}`);
    const { results } = await runProbes(seat, { plan, baseline, wanted: ['ct1>gateway', 'host>server'] });
    assert.deepEqual(
      ['ct1>gateway', 'host>server'].map((probe) => [probe, results[probe]?.ok]),
      [
        ['ct1>gateway', true],
        ['host>server', true],
      ],
    );
  }));

test('A connection that conntrack remembers from before, untranslated, is not taken up again', () =>
  withGraded({}, async ({ host, baseline, type }) => {
    const { session, seat, plan } = host;
    await build(session, plan, { chapters: course });
    const remembered = `-s ${plan.ct1.address} -d ${world.site.address} --dport 80 --state SYN_SENT --timeout 100`;
    await type(`ip netns exec ${plan.ct1.name} sysctl -w net.ipv4.ip_local_port_range='40000 40031'
for port in $(seq 40000 40029); do conntrack -I -p tcp --sport $port ${remembered}; done`);
    const { results } = await runProbes(seat, { plan, baseline, wanted: ['ct1>site'] });
    assert.equal(results['ct1>site']?.ok, true, results['ct1>site']?.error ?? '');
  }));
