import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { cacheDir, stateDir } from '@handwired/host';
import { makeNames } from '../infra/drivers/vm/record.ts';
import { isOwn, type Marks, makeMarks, readMarks } from './marks.ts';

const own = '0123456789abcdef';
const other = 'fedcba9876543210';
const bridgeOf = (instance: string): string => makeNames({ name: 'x', instance, owner: 'a@b' }).bridge;

describe('whose a line of a snapshot is', () => {
  const kept = { ...process.env };
  let marks: Marks;
  let state: string;
  before(async () => {
    Reflect.deleteProperty(process.env, 'HANDWIRED_ALONE');
    state = process.env.XDG_STATE_HOME = await mkdtemp(join(tmpdir(), 'handwired-marks-'));
    marks = await makeMarks(['demo-1']);
    marks.instances.add(own);
  });
  after(async () => {
    await marks.end();
    await rm(state, { recursive: true });
    for (const name of ['HANDWIRED_ALONE', 'XDG_STATE_HOME'])
      if (kept[name] === undefined) Reflect.deleteProperty(process.env, name);
      else process.env[name] = kept[name];
  });

  const lines = (instance: string, run: string, folder: string): [string, string][] => [
    ['links', bridgeOf(instance)],
    ['links', `vnet0 of ${bridgeOf(instance)}`],
    ['routes', `10.213.1.0/28 dev ${bridgeOf(instance)} proto kernel`],
    ['iptables', `-A LIBVIRT_FWI -o ${bridgeOf(instance)} -j REJECT`],
    ['processes', `12 tini -- sh handwired-sandbox=${instance}`],
    ['processes', `12 sleep 1000 handwired-${instance}`],
    ['processes', `12 node main.ts up x HANDWIRED_RUN=${run}`],
    ['processes', `12 pulumi-language-nodejs HANDWIRED_ENGINE=${instance}`],
    ['libvirt objects', `domain handwired-lab-${instance}`],
    ['control groups', `/sys/fs/cgroup/pids/handwired-${instance}`],
    ['mounts', `${folder}/handwired/labs/x/sandbox/root tmpfs handwired`],
    ['temporary files', `${folder}/handwired-test-abc`],
  ];

  it('is ours by each mark of this run', () => {
    for (const [section, line] of lines(own, marks.run, marks.temporary)) assert.ok(isOwn(section, line, marks), line);
  });

  it('is somebody else`s by each mark of another one', () => {
    const theirs = lines(other, 'aaaaaaaaaaaa', '/tmp/handwired-run-0ldRun');
    for (const [section, line] of theirs) if (section !== 'mounts') assert.ok(!isOwn(section, line, marks), line);
  });

  it('is ours without a mark where no lab of somebody else could have made it', () => {
    for (const [section, line] of [
      ['links', 'veth-ct1'],
      ['network namespaces', 'ct1'],
      ['routes', '172.18.0.0/16 dev br0 scope link'],
      ['iptables', '-A FORWARD -i br0 -j ACCEPT'],
      ['sysctls', 'net.ipv4.ip_forward = 1'],
      ['mounts', '/var/lib/libvirt tmpfs handwired'],
      ['files', '/root/.pulumi'],
      ['temporary files', '/tmp/pulumi-1234'],
      ['temporary files', '/run/libvirt'],
      ['state', join(stateDir(), 'something')],
    ] as const)
      assert.ok(isOwn(section, line, marks), line);
  });

  it('is nobody`s lab`s without a mark where each of ours would have one', () => {
    for (const [section, line] of [
      ['processes', '7 dnsmasq --conf-file=/etc/dnsmasq.conf'],
      ['libvirt objects', 'network default'],
      ['temporary files', '/tmp/node-compile-cache'],
      ['iptables', ':LIBVIRT_FWI - [0:0]'],
      ['mounts', `${cacheDir()}/root-that-somebody-builds/proc proc proc`],
    ] as const)
      assert.ok(!isOwn(section, line, marks), line);
  });

  it('is told by the lab`s name in a state folder that labs of others share', () => {
    for (const [path, mine] of [
      ['labs/demo-1/lab.json', true],
      ['labs/demo-2/lab.json', false],
      ['progress/demo-1.jsonl', true],
      ['progress/their.jsonl', false],
      ['labs', true],
      ['hypervisor/etc/qemu.conf', false],
    ] as const)
      assert.equal(isOwn('state', join(stateDir(), path), marks), mine, path);
  });

  it('takes a lab`s instance and hypervisor from its state; a hypervisor that others use is theirs', async () => {
    const folder = join(stateDir(), 'labs/demo-1');
    await mkdir(join(folder, 'vm'), { recursive: true });
    await mkdir(join(stateDir(), 'hypervisor/users'), { recursive: true });
    await writeFile(join(folder, 'lab.json'), JSON.stringify({ instance: '00112233445566aa' }, null, 2));
    const uri = 'qemu:///system?socket=/run/handwired-1a2b3c4d/libvirt-sock';
    await writeFile(join(folder, 'vm/vm.json'), JSON.stringify({ hypervisor: { kind: 'private', uri } }, null, 2));
    await writeFile(join(stateDir(), 'hypervisor/users/demo-1'), '');
    await readMarks(marks);
    assert.ok(marks.instances.has('00112233445566aa'));
    const things = [
      ['temporary files', '/run/handwired-1a2b3c4d'],
      ['processes', '9 libvirtd --config x /handwired-1a2b3c4d'],
      ['state', join(stateDir(), 'hypervisor/etc/qemu.conf')],
    ] as const;
    for (const [section, line] of things) assert.ok(isOwn(section, line, marks), line);
    await writeFile(join(stateDir(), 'hypervisor/users/theirs'), '');
    await readMarks(marks);
    for (const [section, line] of things) assert.ok(!isOwn(section, line, marks), line);
  });

  it('is always ours where nobody else works on the machine', () => {
    process.env.HANDWIRED_ALONE = '1';
    assert.ok(isOwn('processes', '7 dnsmasq', marks));
  });
});
