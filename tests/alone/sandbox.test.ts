import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { connect, labDir, LabError, run } from '@handwired/host';
import { sandbox } from '../../infra/drivers/sandbox/index.ts';
import { type Marks, makeMarks } from '../marks.ts';
import {
  type Lab,
  labOf,
  membersOf,
  namespacesOf,
  noSandbox,
  ownState,
  specOf,
  traces,
  work,
} from '../sandbox/sandbox.ts';
import { differenceAtRest, takeSnapshot } from '../snapshot.ts';

const nothing = { processes: [], cgroups: [], mounts: [] };
const initOf = async (name: string): Promise<number> =>
  Number((await readFile(join(labDir(name), 'sandbox/init'), 'utf8')).split(' ')[0]);

describe('the sandbox driver', { skip: noSandbox, timeout: 300_000 }, () => {
  let marks: Marks;
  let forget: () => Promise<void>;
  before(async () => {
    marks = await makeMarks();
    forget = await ownState();
  });
  after(async () => {
    await forget();
    await marks.end();
  });

  describe('a sandbox that is up', () => {
    let lab: Lab;
    before(async () => {
      lab = await labOf(specOf('first'));
    });
    after(() => lab.end());

    it('has its own hostname, prompt, users and nothing of the machine`s environment', async () => {
      assert.equal(await lab.sh('hostname'), 'first\n');
      assert.match(await lab.sh('bash -ic \'echo "${PS1@P}"\' 2>/dev/null'), /root@first/);
      assert.match(await lab.sh('sudo -u lab sudo id -un'), /^root$/m);
      assert.equal(await lab.sh('getent hosts first'), '127.0.1.1       first\n');
      const names = (await lab.sh('env')).split('\n').map((line) => line.split('=')[0]);
      const known = 'SHELL PWD LOGNAME HOME LANG SSH_CONNECTION USER SHLVL SSH_CLIENT PATH MAIL _ OLDPWD'.split(' ');
      assert.deepEqual(
        names.filter((name) => name && !known.includes(name)),
        [],
      );
    });

    it('has every tool that a learner needs', async () => {
      const tools =
        'ip bridge brctl iptables iptables-legacy iptables-nft nft conntrack tcpdump dnsmasq dig curl socat nc ' +
        'python3 ethtool nsenter unshare man nano vim.tiny ping ss sysctl sudo';
      assert.equal(await lab.sh(`for t in ${tools}; do command -v $t >/dev/null || echo $t; done`), '');
      assert.match(await lab.sh('iptables -V'), /nf_tables/);
    });

    it('shows the learner one uplink, something to respect, and nothing of the machine', async () => {
      const links = (await lab.sh('ip -br link')).split('\n').map((line) => line.split(/[\s@]/)[0]);
      assert.deepEqual(links, ['lo', 'enp1s0', 'br-keep', '']);
      assert.equal(await lab.sh('ls /run/netns'), 'keep\n');
      assert.match(await lab.sh('ip route show default'), /^default via 203\.0\.113\.1 dev enp1s0/);
      assert.match(await lab.sh('iptables -S INPUT; iptables -t nat -S; nft list table inet keep'), /--comment keep/);
      assert.equal(await lab.sh('ls /sys/class/net'), 'br-keep\nenp1s0\nlo\n');
      assert.equal(await lab.sh('ls /home /opt /mnt /root'), '/home:\nlab\n\n/mnt:\n\n/opt:\n\n/root:\n');
      assert.match(await lab.sh('ps -eo pid=,comm= | head -1'), /^\s*1 tini$/m);
      assert.match(await lab.sh('readlink /etc/resolv.conf; cat /etc/resolv.conf'), /stub-resolv[^]*127\.0\.0\.53/);
    });

    it('reaches the world, which answers or refuses at once', async () => {
      await lab.sh('ping -c1 -W2 8.8.8.8 && ping -c1 -W2 1.1.1.1 && ping -c1 -W2 example.com');
      assert.equal(await lab.sh('dig +short @1.1.1.1 a.example.com'), '93.184.216.34\n');
      assert.equal(await lab.sh('dig +short +tcp @8.8.8.8 example.com'), '93.184.216.34\n');
      assert.equal(await lab.sh('dig +short @8.8.8.8 example.com AAAA'), '');
      assert.match(await lab.sh('dig @127.0.0.53 example.net'), /NXDOMAIN/);
      const pages = await lab.sh(
        'for u in http://example.com/ http://example.com:8080/a https://example.com/b; do curl -sS -m3 $u; done',
      );
      assert.match(
        pages,
        /^handwired world: GET \/ at 93\.184\.216\.34:80 from 203\.0\.113\.2:\d+\n.* \/a at .*:8080 .*\n.* \/b at .*:443 /,
      );
      assert.match(await lab.sh('curl -sSI -m3 https://example.com'), /^HTTP\/1\.1 200 OK/);
      const started = performance.now();
      const refused = await lab.session.exec(
        'curl -sS -m5 http://9.9.9.9/; ping -c1 -W5 9.9.9.9; curl -m5 93.184.216.34:81',
      );
      assert.notEqual(refused.code, 0);
      assert.ok(performance.now() - started < 2500, 'unknown destinations must be refused at once');
    });

    it('is reached by the outside client and the LAN peer, and logs what the world saw', async () => {
      const world = 'nsenter --net=/proc/$(cat /run/handwired/world.pid)/ns/net';
      await lab.sh(
        'ip netns exec keep true; (socat TCP-LISTEN:8099,fork,reuseaddr SYSTEM:"echo \\$SOCAT_PEERADDR" >/dev/null 2>&1 &)',
      );
      const ask = `for s in 198.51.100.7 203.0.113.77; do ${world} socat -T2 - TCP:203.0.113.2:8099,bind=$s,retry=20,interval=0.05 </dev/null; done`;
      assert.equal(await lab.sh(ask), '198.51.100.7\n203.0.113.77\n');
      await lab.sh('dig +short @1.1.1.1 nonce-1.example.com; curl -sS example.com/nonce-2; ping -c1 -W2 1.1.1.1');
      const log = (await lab.sh('cat /run/handwired/world.log')).trim().split('\n');
      const entries = log.map((line) => JSON.parse(line) as Record<string, unknown>);
      const fields = (wanted: Record<string, unknown>) =>
        entries.some((entry) => Object.entries(wanted).every(([key, value]) => entry[key] === value));
      const src = '203.0.113.2';
      assert.ok(fields({ kind: 'dns', src, dst: '1.1.1.1', name: 'nonce-1.example.com', type: 'A' }));
      assert.ok(fields({ kind: 'http', src, dst: '93.184.216.34', dport: 80, path: '/nonce-2', host: 'example.com' }));
      assert.ok(fields({ kind: 'icmp', src, dst: '1.1.1.1', seq: 1 }));
      assert.equal(await lab.sh('stat -c %a /run/handwired'), '700\n');
    });

    it('gives a terminal, a login shell and room for a learner`s own namespaces', async () => {
      const shell = await lab.session.stream('tty; stty size', { pty: { rows: 33, columns: 99, term: 'xterm' } });
      const text: string[] = [];
      shell.stdout.on('data', (chunk) => text.push(String(chunk)));
      await shell.ended;
      assert.match(text.join(''), /\/dev\/pts\/\d+\s+33 99/);
      await lab.sh(
        'ip netns add x && ip netns exec x ip link set lo up && ip netns exec x bash -lc "ping -c1 127.0.0.1"',
      );
      await lab.sh('ip netns del x');
      await lab.sh('iptables-legacy -t nat -A POSTROUTING -o lo -j MASQUERADE && iptables-legacy -t nat -F');
    });

    it('can write its own network`s settings, and none of the machine`s', async () => {
      await lab.sh('sysctl -q -w net.ipv4.ip_forward=1 && sysctl -q -w net.ipv4.ip_forward=0');
      for (const command of [
        'sysctl -w kernel.panic=7',
        'mknod /tmp/disk b 8 0',
        'date -s 2000-01-01',
        'echo 1 >/sys/kernel/profiling',
      ]) {
        const { code } = await lab.session.exec(command);
        assert.notEqual(code, 0, command);
      }
    });

    it('has an end to the processes and the memory that it can take', async (t) => {
      const { cgroups } = await traces(lab.spec);
      if (cgroups?.length === 0) {
        t.skip('this machine gives no cgroups');
        return;
      }
      const bomb = 'n=0; while [ $n -lt 2000 ]; do sleep 60 & n=$((n + 1)); done';
      const fork = await lab.session.exec(['setsid', '-w', 'sh', '-c', `(${bomb}) 2>&1; kill -9 0`]);
      assert.match(fork.stdout, /Cannot fork/);
      const hog = await lab.session.exec(['python3', '-c', 'print(len(bytearray(600 << 20)))']);
      assert.notEqual(hog.code, 0);
      assert.equal(await lab.sh('echo still here'), 'still here\n');
    });

    it('is up at once when it is up, and says so', async () => {
      const started = performance.now();
      assert.deepEqual(await sandbox.up(lab.spec, work()), lab.endpoint);
      assert.ok(performance.now() - started < 500);
      assert.equal((await sandbox.status(lab.spec, AbortSignal.timeout(5000))).state, 'up');
    });
  });

  it('honours every condition, with two sandboxes at once that know nothing of one another', async () => {
    const one = specOf('one', { 'forward-policy': 'drop', 'bridge-nf': '1', resolver: 'file', 'ip-forward': '1' });
    const [a, b] = await Promise.all([labOf(one), labOf(specOf('two'))]);
    const look =
      'iptables -S FORWARD | head -1; cat /proc/sys/net/bridge/bridge-nf-call-iptables /proc/sys/net/ipv4/ip_forward; ' +
      'test -L /etc/resolv.conf && echo link || echo file; dig +short example.com; ip netns add only-here';
    try {
      assert.equal(await a.sh(look), '-P FORWARD DROP\n1\n1\nfile\n93.184.216.34\n');
      assert.equal(await b.sh(look), '-P FORWARD ACCEPT\n0\n0\nlink\n93.184.216.34\n');
    } finally {
      await Promise.all([a.end(), b.end()]);
    }
  });

  it('destroys without leaving anything on the machine, and says what it removed', async () => {
    const spec = specOf('gone');
    marks.instances.add(spec.instance);
    const before = await takeSnapshot(marks);
    const lab = await labOf(spec);
    assert.deepEqual((await traces(spec))['mounts'], [], 'no mount shows on the machine');
    await lab.sh('ip netns add ct1; ip netns exec ct1 sleep 1000 >/dev/null 2>&1 & sleep 1000 >/dev/null 2>&1 &');
    const machine = await namespacesOf(process.pid);
    const namespaces = new Set(await namespacesOf(await initOf('gone'))).difference(new Set(machine));
    const shown = (await differenceAtRest(before, marks, 0)).own.join('\n');
    assert.match(shown, /\+ processes: \d+ .*handwired-sandbox=/, 'the comparison sees a lab that is up');
    // In clock ticks, which Linux counts as 100 a second.
    const now = 100 * Number((await readFile('/proc/uptime', 'utf8')).split(' ')[0]);
    const lines = await sandbox.destroy(spec, work());
    assert.match(lines.join('\n'), /^process \d+ with its namespaces\n[^]*folder .*\/gone\/sandbox$/);
    assert.deepEqual(await readdir(labDir('gone')), []);
    await rm(labDir('gone'), { recursive: true });
    assert.deepEqual((await differenceAtRest(before, marks)).own, []);
    assert.deepEqual(await membersOf(namespaces, now), []);
    assert.deepEqual(await sandbox.destroy(spec, work()), []);
    assert.equal((await sandbox.status(spec, AbortSignal.timeout(5000))).state, 'absent');
    await assert.rejects(connect(lab.endpoint, { timeoutMs: 3000 }));
  });

  it('resets to what up gave, with the same keys', async () => {
    const lab = await labOf(specOf('again'));
    await lab.sh(
      'ip link add br0 type bridge; echo spoilt >/etc/hosts; rm -r /usr/share/man; iptables -F; pkill tini; pkill sleep; true',
    );
    const endpoint = await sandbox.reset(lab.spec, work());
    assert.equal(endpoint.hostKey, lab.endpoint.hostKey);
    const session = await connect(endpoint);
    const { stdout } = await session.exec(
      'ip -br link | wc -l; grep -c again /etc/hosts; ls -d /usr/share/man; iptables -S INPUT | wc -l',
    );
    assert.equal(stdout, '3\n1\n/usr/share/man\n2\n');
    session.close();
    await lab.end();
  });

  it('makes a sandbox anew whose processes have ended', async () => {
    const lab = await labOf(specOf('died'));
    process.kill(await initOf('died'), 'SIGKILL');
    const deadline = performance.now() + 5000;
    const stateNow = async () => (await sandbox.status(lab.spec, AbortSignal.timeout(5000))).state;
    while ((await stateNow()) !== 'broken' && performance.now() < deadline) await delay(5);
    assert.equal(await stateNow(), 'broken');
    const endpoint = await sandbox.up(lab.spec, work());
    (await connect(endpoint)).close();
    await lab.end();
  });

  it('never enters another process by an old endpoint', async () => {
    const lab = await labOf(specOf('stale'));
    const { dial } = lab.endpoint;
    assert.ok('command' in dial);
    for (const [index, value] of [
      [3, '1'],
      [4, '00000000-0000-0000-0000-000000000000'],
      [2, String(process.pid)],
    ] as const) {
      const { code, stdout, stderr } = await run(dial.command.with(index, value), { allowFailure: true });
      assert.deepEqual([code, stdout], [69, '']);
      assert.match(stderr, /init process \d+ is gone. Next: lab up/);
    }
    await lab.end();
  });

  it('can be killed at any moment of up, and brought up or destroyed after it', async () => {
    const program = join(import.meta.dirname, 'up-until-killed.ts');
    const killedAfter = async (ms: number, index: number): Promise<void> => {
      const spec = specOf(`killed${index}`);
      const argv = ['--import', join(import.meta.dirname, '../../cli/loader.mjs'), program, JSON.stringify(spec)];
      const child = spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'inherit'] });
      await once(child.stdout, 'data');
      await delay(ms);
      child.kill('SIGKILL');
      if (index % 2 === 0) (await connect(await sandbox.up(spec, work()))).close();
      await sandbox.destroy(spec, work());
      assert.deepEqual(await traces(spec), nothing, `after a kill at ${ms} ms`);
    };
    await Promise.all([5, 40, 90, 160, 250, 400].map(killedAfter));
  });

  it('stops on request, and leaves nothing running', async () => {
    const spec = specOf('stopped');
    const abort = new AbortController();
    const up = sandbox.up(spec, { ...work(), signal: abort.signal });
    setTimeout(() => abort.abort(new Error('Ctrl-C')), 150);
    await assert.rejects(up, /Ctrl-C/);
    assert.deepEqual(await traces(spec), nothing);
    await sandbox.destroy(spec, work());
  });

  it('says why when the start scripts fail', async () => {
    const spec = specOf('fails');
    await sandbox.destroy(spec, work());
    const bad = { ...spec, conditions: { ...spec.conditions, 'ip-forward': 'x' as '0' } };
    await assert.rejects(
      sandbox.up(bad, work()),
      (error) => error instanceof LabError && /did not start/.test(error.message),
    );
    assert.deepEqual(await traces(spec), nothing);
    await sandbox.destroy(spec, work());
  });

  it('takes a damaged state folder for half made', async () => {
    const lab = await labOf(specOf('damaged'));
    await writeFile(join(labDir('damaged'), 'sandbox/init'), 'garbage');
    assert.equal((await sandbox.status(lab.spec, AbortSignal.timeout(5000))).state, 'broken');
    await sandbox.destroy(lab.spec, work());
    assert.deepEqual(await traces(lab.spec), nothing);
  });
});
