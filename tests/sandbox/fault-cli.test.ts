import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as after } from 'node:timers/promises';
import { type Fault, faults } from '@handwired/labs/faults';
import type { Ended } from '../lab.ts';
import { sharedLab } from './shared-lab.ts';
import { assertClear, builtRight } from './steps.ts';
import { onTerminal } from './terminal.ts';

const named = (id: string): Fault => {
  const fault = faults.find((one) => one.id === id);
  assert.ok(fault, id);
  return fault;
};

describe('lab fault', () => {
  const shared = sharedLab('own');
  const lab = (...words: string[]): Promise<Ended> => shared().lab(...words);
  const fault = (...words: string[]): Promise<Ended> =>
    shared().lab.start(['fault', ...words], { LAB_NAME: 'own' }).ended;
  const file = (): string => join(shared().lab.state, 'handwired/labs/own/fault.json');
  const sh = async (command: string): Promise<string> => (await shared().session.exec(command)).stdout;
  const injected = async (...words: string[]): Promise<void> => {
    const { code, stderr } = await fault('inject', ...words);
    assert.equal(code, 0, stderr);
  };
  const openIds = async (): Promise<string[]> => (JSON.parse(await readFile(file(), 'utf8')) as { ids: string[] }).ids;

  it('says what to build where there is nothing to break, and what to inject where nothing is in place', async () => {
    assertClear(await fault('inject'), 78, /nothing is built/, /lab build/);
    for (const verb of ['submit', 'reveal', 'repair'])
      assertClear(await fault(verb), 64, /no fault/, /lab fault inject/);
    assert.equal((await lab('build', 'own', '--through', 'connectivity')).code, 0);
    assertClear(await fault('inject', 'forwarding-off'), 78, /chapter egress/, /lab build --through egress/);
    assert.equal((await lab('build', 'own')).code, 0);
  });

  it('tells nothing of what it put in, and puts in no second one', async () => {
    const { code, stdout, stderr } = await fault('inject', '--random', '--seed', '5');
    assert.equal(code, 0, stderr);
    const [id = ''] = await openIds();
    for (const word of [id, named(id).cause, named(id).title]) assert.ok(!(stdout + stderr).includes(word), word);
    assertClear(await fault('inject'), 64, /in place already/, /lab fault submit/);
    const list = await fault('list', '-o', 'json');
    assert.equal((JSON.parse(list.stdout) as { faults: unknown[] }).faults.length, faults.length);
    const progress = await lab('progress', 'own', '-o', 'json');
    assert.ok(!progress.stdout.includes(id));
  });

  it('gives up, tells the cause and the commands, and mends it when asked', async () => {
    const [id = ''] = await openIds();
    assertClear(await fault('repair'), 64, /still to be found/, /lab fault reveal/);
    // A lab host with a device that no copy can have can't be graded whole. That is no reason to tell nothing.
    assert.equal((await lab('exec', 'own', '--', 'ip', 'tuntap', 'add', 'tap9', 'mode', 'tap')).code, 0);
    assert.equal((await lab('check', 'own')).code, 3);
    const { code, stdout } = await fault('reveal');
    assert.equal(code, 0);
    assert.match(stdout, /^what fails can't be told now: /m);
    assert.equal((await lab('exec', 'own', '--', 'ip', 'link', 'del', 'tap9')).code, 0);
    assert.ok(stdout.includes(named(id).title) && stdout.includes(named(id).explanation), stdout);
    assertClear(await fault('submit', named(id).cause), 64, /was revealed/, /lab fault inject/);
    assert.equal((await fault('repair')).code, 0);
    assert.equal((await lab('check', 'own', '--through', 'publish')).code, 0);
    assert.equal((await lab('check', 'own', '--chapter', 'troubleshoot')).code, 1);
  });

  it('marks every wrong answer as wrong, a right one only with the repair, and then chapter 11 passes', async () => {
    const { cause } = named('bridge-down');
    await injected('bridge-down');
    const asked = await fault('submit');
    assert.equal(asked.code, 2);
    assert.match(asked.stdout, new RegExp(`^ +\\d+ .*\\(${cause}\\)$`, 'm'));
    for (const other of faults.filter((one) => one.cause !== cause).slice(0, 1)) {
      const wrong = await fault('submit', other.id);
      assert.equal(wrong.code, 1);
      assert.match(wrong.stdout, /^wrong: /m);
    }
    for (const answer of [['it', 'does', 'not', 'work'], ['br0 is down'], ['99']]) {
      assertClear(await fault('submit', ...answer), 64, /neither a number.*not counted/, /lab fault submit/);
    }
    assertClear(
      await fault('submit', 'brige-down'),
      64,
      /'brige-down'.*did you mean bridge-down\?/,
      /lab fault submit/,
    );
    assert.equal((await lab('check', 'own', '--hints', '3')).code, 1);
    const right = await fault('submit', cause);
    assert.equal(right.code, 1);
    assert.match(right.stdout, /^right: [^]*^not repaired: .*bridge\.up/m);
    await sh('ip link set br0 up');
    const done = await fault('submit');
    assert.equal(done.code, 0, done.stdout);
    assert.match(done.stdout, /^right: [^]*^repaired: [^]*2 answers and 1 hint/m);
    assert.equal((await lab('check', 'own', '--chapter', 'troubleshoot')).code, 0);
    await builtRight(shared().lab, 'own');
  });

  it('asks at a terminal, and takes the number that is typed', async () => {
    await injected('bridge-down');
    const terminal = onTerminal(['fault', 'submit', '--lab', 'own'], shared().env);
    const shown = await terminal.shows(/[^]*root cause\?/);
    const number = /(\d+) +[^\n]*\(bridge-down\)/.exec(shown)?.[1] ?? '';
    terminal.send(`${number}\r`);
    await terminal.shows(/right: [^]*not repaired/);
    assert.equal((await terminal.ended).code, 1);
    await sh('ip link set br0 up');
    assert.equal((await fault('submit')).code, 0);
  });

  it('refuses two that exclude each other, and several that do not it puts in at once', async () => {
    const pairs = faults.flatMap((one) =>
      faults.filter((other) => one.excludes.includes(other.id)).map((other) => [one.id, other.id]),
    );
    const [clash] = pairs;
    assert.ok(clash, 'no two faults exclude each other');
    assertClear(await fault('inject', ...clash), 64, /exclude each other/, /lab fault list/);
    await injected('veth-unplugged', 'resolver-unreachable');
    const half = await fault('submit', 'veth-unplugged');
    assert.match(half.stdout, /^wrong: 1 of the 2 root causes is/m);
    const both = await fault('submit', named('resolver-unreachable').cause, named('veth-unplugged').cause);
    assert.match(both.stdout, /^right: /m);
    await sh('ip link set veth-ct2 master br0; echo nameserver 1.1.1.1 > /etc/netns/ct1/resolv.conf');
    assert.equal((await fault('submit')).code, 0);
  });

  it('goes on after it was killed at any moment, and loses nothing', async () => {
    for (const moment of [900, 1600]) {
      const inject = shared().lab.start(['fault', 'inject', 'forwarding-off'], { LAB_NAME: 'own' });
      await Promise.race([after(moment), inject.ended]);
      inject.kill('SIGKILL');
      await inject.ended;
      const wasNothing = await readFile(file()).then(
        () => false,
        () => true,
      );
      if (wasNothing) await injected('forwarding-off');
      assert.match((await fault('submit', 'forwarding-off')).stdout, /^right: [^]*^not repaired/m);
      await sh('sysctl -qw net.ipv4.ip_forward=1');
      assert.equal((await fault('submit')).code, 0);
    }
  });

  it('says so where what is built gives a fault nothing to take hold of, and draws another', async () => {
    await sh(`while rule=$(iptables -t nat -S POSTROUTING | grep -m1 -- '! -o br0.*MASQUERADE'); do eval iptables -t nat -D "\${rule#-A }"; done
nft 'add table ip own; add chain ip own out { type nat hook postrouting priority 100; }; add rule ip own out ip saddr 172.18.0.0/16 oifname != "br0" masquerade'`);
    assertClear(await fault('inject', 'masquerade-wrong-uplink'), 78, /another shape/, /lab fault inject --random/);
    await injected('--random', '--seed', '1');
    assert.equal((await fault('reveal')).code, 0);
    assert.equal((await fault('repair')).code, 0);
  });

  it('is gone with a reset', async () => {
    await injected('bridge-down');
    assert.ok((await readdir(join(file(), '..'))).includes('fault.json'));
    assert.equal((await lab('reset', 'own')).code, 0);
    assertClear(await fault('submit', 'bridge-down'), 64, /no fault/, /lab fault inject/);
  });
});
