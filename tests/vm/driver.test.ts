import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import {
  cacheDir,
  connect,
  defaultPlan,
  endProcess,
  type Endpoint,
  EXIT,
  hostPaths,
  type LabSpec,
  labDir,
  run,
  saveSpec,
  stateDir,
} from '@handwired/host';
import { findOrphans } from '@handwired/infra';
import { build } from '@handwired/labs';
import { privateDaemon, privateFolders, privateUri } from '../../infra/drivers/vm/hypervisor.ts';
import { vm } from '../../infra/drivers/vm/index.ts';
import { seatQuestion, seatTrouble } from '../../infra/drivers/vm/readiness.ts';
import { makeNames } from '../../infra/drivers/vm/record.ts';
import { course, explainMisses, failures } from '../sandbox/grading.ts';
import { atSeat, baselineOf, endSeat, graded, liars } from './seat.ts';
import { noVm, ownState, sh, specOf, traces, work } from './vm.ts';

const skip = await noVm();
const virsh = async (...words: string[]): Promise<string> =>
  (await run(['virsh', '-q', '-c', privateUri(), ...words], { timeoutMs: 30_000 })).stdout.trim();

describe('the vm driver', { skip, timeout: 900_000 }, () => {
  let forget: () => Promise<void>;
  let spec: LabSpec;
  let endpoint: Endpoint;
  let home: string;
  let machine: string[];
  before(async () => {
    forget = await ownState();
    home = await emptyHome();
    machine = await filesOfOthers();
    spec = await specOf('tested');
  });
  after(async () => {
    await forget();
    await rm(home, { recursive: true });
  });

  it('brings a lab host up through the engine, which answers with its own kernel and pinned key', async (t) => {
    endpoint = await vm.up(spec, work());
    const kernel = await sh(endpoint, 'uname -r');
    t.diagnostic(`domain ${makeNames(spec).object}, guest kernel ${kernel}`);
    assert.notEqual(kernel, (await run(['uname', '-r'])).stdout.trim());
    assert.equal(await sh(endpoint, 'hostname'), 'tested');
    assert.equal(await sh(endpoint, `test -e ${hostPaths.ready} && echo ready`), 'ready');
    assert.equal(await sh(endpoint, `grep -c FORWARD_POLICY=drop ${hostPaths.env}`), '1');
    await assert.rejects(async () => sh({ ...endpoint, hostKey: `ssh-ed25519 ${'A'.repeat(68)}` }, 'true'), /host key/);
  });

  it('shows the learner one uplink and no management network', async () => {
    const links = (await sh(endpoint, 'ip -br link')).split('\n').map((line) => line.split(/[\s@]/)[0]);
    assert.deepEqual(links, ['lo', 'enp1s0', 'br-keep']);
  });

  it('records every object in the engine`s state, each with the lab`s name and instance', async () => {
    const state = join(labDir('tested'), 'vm/pulumi/backend/.pulumi/stacks/handwired/tested.json');
    const text = await readFile(state, 'utf8');
    const types = [...text.matchAll(/"type":\s*"libvirt:\w+[^:]*:(\w+)"/g)].map(([, type]) => type).sort();
    assert.deepEqual(types, ['Domain', 'Network', 'Pool', 'Volume', 'Volume', 'Volume']);
    assert.ok(!text.includes('OPENSSH PRIVATE KEY'), 'the host key stands in the state in plain text');
    assert.match(await virsh('desc', makeNames(spec).object), new RegExp(`owner=test@test instance=${spec.instance}`));
  });

  it('says that it is up, and with what, and up again changes nothing', async () => {
    await saveSpec({ ...spec, phase: 'ready' });
    const status = await vm.status(spec, work().signal);
    assert.equal(status.state, 'up');
    assert.equal(status.memoryMiB, 512);
    assert.ok((status.diskMiB ?? 0) > 0);
    const started = await sh(endpoint, 'cat /proc/sys/kernel/random/boot_id');
    assert.deepEqual(await vm.up(spec, work()), endpoint);
    assert.equal(await sh(endpoint, 'cat /proc/sys/kernel/random/boot_id'), started);
  });

  it('finds its running lab host again after libvirtd was killed', async () => {
    const started = await sh(endpoint, 'cat /proc/sys/kernel/random/boot_id');
    const daemon = await privateDaemon();
    assert.ok(daemon);
    await endProcess(daemon, 0);
    assert.equal((await vm.status(spec, work().signal)).state, 'stopped');
    assert.equal(await sh(endpoint, 'cat /proc/sys/kernel/random/boot_id'), started);
    assert.deepEqual(await vm.up(spec, work()), endpoint);
    assert.equal((await vm.status(spec, work().signal)).state, 'up');
    assert.equal(await sh(endpoint, 'cat /proc/sys/kernel/random/boot_id'), started);
  });

  it('gives a second lab a network of its own on the same hypervisor, and takes away only that', async () => {
    const other = await specOf('other');
    await killedAt(other, /^domain created/m);
    const names = (await virsh('net-list', '--all', '--name')).split('\n').filter((name) => name !== '');
    assert.equal(names.length, 2);
    const removed = await vm.destroy(other, work());
    assert.ok(removed.includes(`domain ${makeNames(other).object}`));
    assert.ok(removed.every((line) => line.includes(other.instance)));
    const logs = await readdir(join(privateFolders().state, 'log/qemu'));
    assert.deepEqual(logs, [`${makeNames(spec).object}.log`]);
    assert.equal((await vm.status(spec, work().signal)).state, 'up');
  });

  it('finds a lab that lost its state folder, and takes away only that', async () => {
    const lost = await specOf('lost');
    await killedAt(lost, /^domain created/m);
    await rm(labDir('lost'), { recursive: true });
    const found = (await findOrphans(work().signal)).filter(({ lab }) => lab === 'lost');
    const things = await Promise.all(found.map(({ list }) => list(work().signal)));
    assert.ok(things.flat().includes(`domain ${makeNames(lost).object}`));
    for (const each of found) {
      assert.deepEqual([each.state, each.instance], [stateDir(), lost.instance]);
      await each.remove(work());
    }
    assert.deepEqual(
      (await findOrphans(work().signal)).filter(({ lab }) => lab === 'lost'),
      [],
    );
    assert.equal((await vm.status(spec, work().signal)).state, 'up');
  });

  it('seats the grader on a disk that nobody can write to, on the learner`s network and out of their sight', async () => {
    assert.equal(seatTrouble(await atSeat(endpoint, seatQuestion)), undefined);
    assert.match(await atSeat(endpoint, 'touch /usr/bin/mine || :'), /Read-only file system/);
    const same = 'readlink /proc/self/ns/net /proc/self/ns/pid; ip -br addr';
    assert.equal(await atSeat(endpoint, same), await sh(endpoint, same));
    assert.equal(await sh(endpoint, 'mount | grep -c /dev/vdc || true'), '0');
    const tools = 'python3 ip nft iptables-nft iptables-legacy ss conntrack getent';
    await atSeat(endpoint, `for tool in ${tools}; do command -v $tool || exit; done`);
  });

  it('tells the truth of a build when the learner has made liars of the lab host`s own programs', async () => {
    const baseline = await baselineOf(endpoint);
    const session = await connect(endpoint);
    await build(session, defaultPlan, { chapters: course });
    session.close();
    await sh(endpoint, liars);
    assert.match(await atSeat(endpoint, 'cat /proc/1/root/usr/bin/python3.[0-9]*'), /a lie/);
    await assert.rejects(sh(endpoint, 'true'));
    assert.deepEqual(explainMisses(await graded(endpoint, baseline)), []);
    await atSeat(endpoint, endSeat).catch(() => 'it went with its server');
    assert.equal(seatTrouble(await atSeat(endpoint, seatQuestion)), undefined);
    await atSeat(endpoint, 'ip link set br0 down');
    assert.ok(failures(await graded(endpoint, baseline)).includes('bridge.up'));
  });

  it('resets a lab host that was powered off to what it was at first', async () => {
    await virsh('destroy', makeNames(spec).object);
    assert.equal((await vm.status(spec, work().signal)).state, 'stopped');
    assert.deepEqual(await vm.reset(spec, work()), endpoint);
    assert.equal(await sh(endpoint, 'ls /root/mine 2>/dev/null || echo gone'), 'gone');
  });

  it('is gone without a trace once it is destroyed, and says what went', async () => {
    const removed = await vm.destroy(spec, work());
    const { object } = makeNames(spec);
    for (const what of [`domain ${object}`, `pool ${object}`, `network ${object}`, `volume overlay.qcow2 of ${object}`])
      assert.ok(removed.includes(what), `${what} in ${removed.join(', ')}`);
    assert.deepEqual(await traces(spec), []);
    assert.equal((await vm.status(spec, work().signal)).state, 'absent');
    assert.deepEqual(await vm.destroy(spec, work()), []);
  });

  it('has written nothing into the home folder or the toolchain, and made no folder where a libvirt of the machine would', async () => {
    assert.deepEqual(await readdir(home), []);
    assert.deepEqual(await filesOfOthers(), machine);
  });
});

/** Makes an empty folder this process's home; the cache stays where it is. */
async function emptyHome(): Promise<string> {
  process.env.XDG_CACHE_HOME = join(cacheDir(), '..');
  process.env.HOME = await mkdtemp(join(tmpdir(), 'handwired-test-home-'));
  return process.env.HOME;
}

/** The folders of the machine's own libvirt that are there, and each file of the finished parts of the toolchain. */
async function filesOfOthers(): Promise<string[]> {
  const folders = ['/etc/libvirt', '/var/lib/libvirt', '/var/log/libvirt', '/var/cache/libvirt', '/run/libvirt'];
  const toolchain = join(cacheDir(), 'toolchain');
  const parts = (await readdir(toolchain)).filter((name) => /-[0-9a-f]{16}$/.test(name));
  const files = await Promise.all(parts.map((name) => readdir(join(toolchain, name), { recursive: true })));
  return [...folders.filter((folder) => existsSync(folder)), ...files.flat().sort()];
}

describe('a vm lab that is cut off', { skip, timeout: 300_000 }, () => {
  let forget: () => Promise<void>;
  before(async () => {
    forget = await ownState();
  });
  after(() => forget());

  for (const [stage, when] of [
    ['before the engine runs', /^begin Engine/m],
    ['while the engine makes objects', /^pool created/m],
    ['while the domain boots', /^domain created/m],
  ] as const)
    it(`leaves nothing after kill -9 ${stage} and a destroy`, async () => {
      const spec = await specOf('killed');
      await killedAt(spec, when);
      await vm.destroy(spec, work());
      assert.deepEqual(await traces(spec), []);
    });

  it('is found and removed, its hypervisor too, when all of the state folder is gone', async () => {
    const spec = await specOf('lost');
    await killedAt(spec, /^domain created/m);
    await rm(stateDir(), { recursive: true });
    const found = (await findOrphans(work().signal)).filter(({ state }) => state === stateDir());
    const things = await Promise.all(found.map(({ list }) => list(work().signal)));
    assert.ok(things.flat().includes(`domain ${makeNames(spec).object}`));
    const removed: string[] = [];
    for (const each of found) removed.push(...(await each.remove(work())));
    assert.ok(removed.includes(`private hypervisor ${privateFolders().run}`), removed.join(', '));
    assert.deepEqual(await traces(spec), []);
  });

  it('ends soon with the reason when it is aborted, and leaves nothing after a destroy', async () => {
    const spec = await specOf('aborted');
    const abort = new AbortController();
    const note = (text: string): void => {
      if (/pool created/.test(text)) abort.abort(new Error('that is enough'));
    };
    const progress = { note, stage: <T>(_: string, task: (n: typeof note) => Promise<T>) => task(note) };
    await assert.rejects(vm.up(spec, { signal: abort.signal, progress }), /that is enough/);
    await vm.destroy(spec, work());
    assert.deepEqual(await traces(spec), []);
  });
});

describe('a vm lab that can`t be had', { skip, timeout: 60_000 }, () => {
  let forget: () => Promise<void>;
  before(async () => {
    forget = await ownState();
  });
  after(() => forget());

  for (const [uri, why] of [
    ['qemu+unix:///system?socket=/nonexistent/libvirt-sock', /there is no socket \/nonexistent\/libvirt-sock/],
    ['qemu+tcp://127.0.0.1:1/system', /127\.0\.0\.1:1 refused the connection/],
    ['qemu+tcp://nosuch.invalid/system', /no machine is named nosuch\.invalid/],
    ['xen:///', /labs run on QEMU, and xen is another hypervisor/],
  ] as const)
    it(`names ${uri}, which does not answer, and says why`, async () => {
      const spec = await specOf('nowhere', { uri });
      await assert.rejects(vm.up(spec, work()), (error: { message: string; exit: number }) => {
        assert.ok(error.message.startsWith(`no libvirt daemon answers at ${uri}: `), error.message);
        assert.match(error.message, why);
        assert.equal(error.exit, EXIT.config);
        return true;
      });
    });

  it('says how much memory there is when more is asked for', async () => {
    const spec = await specOf('large', { memoryMiB: 10_000_000 });
    await assert.rejects(vm.up(spec, work()), /wants 10000000 MiB of memory, and \d+ MiB are free/);
    assert.deepEqual(await traces(spec), []);
  });
});

/** Starts `up` in a process of its own and kills it when its output matches. */
async function killedAt(spec: LabSpec, when: RegExp): Promise<void> {
  const program = join(import.meta.dirname, 'up-until-killed.ts');
  const child = spawn(
    process.execPath,
    ['--import', join(import.meta.dirname, '../../cli/loader.mjs'), program, JSON.stringify(spec)],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  let seen = '';
  await new Promise<void>((resolve, reject) => {
    child.stdout.on('data', (chunk: Buffer) => {
      seen += chunk.toString();
      if (when.test(seen)) child.kill('SIGKILL');
    });
    child.on('close', () => {
      if (when.test(seen)) resolve();
      else reject(new Error(`it ended before ${when}: ${seen}`));
    });
  });
}
