import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertSame, assertWorks, snapshot } from './behaviour.ts';
import { file, interrupted, places, put, script } from './exported.ts';
import { misses, withGraded } from './grading.ts';

/** Everything that a kept build is, on a lab host that has nothing of it. */
async function assertKept(graded: Parameters<Parameters<typeof withGraded>[1]>[0], tool: RegExp): Promise<void> {
  const { host, check } = graded;
  const before = await snapshot(host);
  const said = await script(host, '--keep');
  assert.match(said, tool);
  assert.match(said, /^uplink enp1s0 \(203\.0\.113\.2\)$/m);
  assert.match(said, /^http:\/\/127\.0\.0\.1:8080\/ answers\nhttp:\/\/203\.0\.113\.2:8080\/ answers$/m);
  await assertWorks(host);
  assert.deepEqual(misses(await check({ through: 'publish' })), []);
  const first = await snapshot(host);
  assert.doesNotMatch((await script(host, '--keep')).replaceAll(/^ {4}ip netns exec ct\d ping .*$/gm, ''), /^ {4}/m);
  assertSame(await snapshot(host), first);
  await script(host, '--remove');
  assertSame(await snapshot(host), before);
  assert.deepEqual(misses(await check({ only: 'cleanup' })), []);
}

test('The script builds what serves and passes every check, does not double, and is taken back to the last bit', () =>
  withGraded({ 'forward-policy': 'drop', 'bridge-nf': '1' }, async (graded) => {
    await put(graded.host);
    await assertKept(graded, /^ {4}iptables -A FORWARD/m);
  }));

test('It does so where there is nft and no iptables', () =>
  withGraded({}, async (graded) => {
    await put(graded.host);
    await graded.host.sh('mkdir /tmp/away && mv /usr/sbin/*tables* /usr/sbin/xtables* /tmp/away 2>/dev/null || true');
    await assertKept(graded, /^ {4}nft add rule ip by_hand forward/m);
  }));

test('Interrupted at any of ten places it leaves nothing, and gives back what was there', () =>
  withGraded({}, async ({ host }) => {
    await put(host);
    await host.sh(`mkdir -p /etc/netns/ct1; echo nameserver 9.9.9.9 > /etc/netns/ct1/resolv.conf
      sysctl -q -w net.ipv4.conf.enp1s0.forwarding=1 net.ipv4.conf.all.accept_redirects=0`);
    const before = await snapshot(host);
    for (const { at, signal } of await places(host)) {
      const said = await interrupted(host, signal, at);
      assert.match(said, signal === 'TERM' ? /^ended 143$/m : /^ended 130$/m, `${signal} at ${at}: ${said}`);
      assertSame(await snapshot(host), before, `${signal} at ${at}`);
    }
    assert.equal((await host.sh(`bash ${file} | head -n 9`)).split('\n').length, 10);
    assertSame(await snapshot(host), before, 'its output is not read to the end');
  }));

test('What a run that was killed has left is taken back by the next', () =>
  withGraded({}, async ({ host }) => {
    await put(host);
    const before = await snapshot(host);
    for (const at of [2, 44]) {
      assert.match(await interrupted(host, 'KILL', at), /^ended -9$/m);
      await script(host, '--remove');
      assertSame(await snapshot(host), before, `killed at ${at}`);
    }
  }));

test('With --keep an interrupted run is gone on with, and what others may drop is told', () =>
  withGraded({}, async ({ host }) => {
    await put(host);
    await host.sh(`printf '#!/bin/sh\nexit 0\n' > /usr/sbin/firewall-cmd; chmod +x /usr/sbin/firewall-cmd
      nft 'table inet other { chain f { type filter hook forward priority 9; policy drop; iifname br0 accept; oifname br0 accept; }; }'`);
    const before = await snapshot(host);
    const first = await interrupted(host, 'TERM', 30, '--keep --firewall nft');
    assert.match(first, /^it is left as it is: run it again/m);
    const second = await script(host, '--keep');
    assert.match(second, /^ {4}nft add rule /m);
    assert.match(second, /^firewalld runs here .*--add-interface=br0\nanother table drops .* unless it accepts br0/m);
    await assertWorks(host);
    await script(host, '--remove');
    assertSame(await snapshot(host), before);
  }));

test('What bears the same names and is not its own is refused and left alone', () =>
  withGraded({}, async ({ host }) => {
    await put(host);
    for (const [make, undo, said] of [
      ['ip link add br0 type bridge', 'ip link del br0', /an interface br0 already/],
      ['ip netns add ct2', 'ip netns del ct2', /a network namespace ct2 already/],
      [
        'ip route add 172.18.7.0/24 dev enp1s0',
        'ip route del 172.18.7.0/24',
        /172\.18\.0\.0\/16 is in use here: 172\.18\.7/,
      ],
      [
        'ip route add 172.16.0.0/12 dev enp1s0',
        'ip route del 172.16.0.0/12',
        /172\.18\.0\.0\/16 is in use here: 172\.16/,
      ],
      ['socat TCP-LISTEN:8080,fork - & echo $! > /tmp/pid', 'kill $(cat /tmp/pid)', /port 8080 already/],
      ['mv /usr/bin/python3 /tmp/p', 'mv /tmp/p /usr/bin/python3', /missing: python3 \(package python3\)/],
    ] as const) {
      await host.session.exec(make);
      const before = await snapshot(host);
      const { code, stdout, stderr } = await host.session.exec(`bash ${file} --keep < /dev/null`);
      assert.equal(code, 1, `${make}: ${stdout}`);
      assert.match(stderr, said);
      assertSame(await snapshot(host), before, make);
      await host.session.exec(undo);
    }
    const before = await snapshot(host);
    await put(host, 'veth');
    await script(host, '--keep');
    await put(host);
    for (const flag of ['--keep', '--remove']) {
      const { code, stderr } = await host.session.exec(`bash ${file} ${flag} < /dev/null`);
      assert.equal(code, 1, flag);
      assert.match(stderr, /from another such script \(172\.18\.0\.0\/16 veth, not 172\.18\.0\.0\/16 publish\)/);
    }
    await put(host, 'veth');
    await script(host, '--remove');
    assertSame(await snapshot(host), before);
    const none = await host.session.exec(`bash ${file} --remove < /dev/null`);
    assert.match(none.stderr, /there is nothing of this here/);
  }));
