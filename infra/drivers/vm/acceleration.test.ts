import assert from 'node:assert/strict';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { probeAcceleration } from './acceleration.ts';

describe('whether KVM works', { skip: process.arch === 'x64' ? false : 'the probe of another processor' }, () => {
  const work = { signal: new AbortController().signal };
  const own = ['XDG_CACHE_HOME', 'PATH'] as const;
  const kept = own.map((name) => process.env[name]);
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'handwired-kvm-'));
    process.env.XDG_CACHE_HOME = folder;
    process.env.PATH = folder;
  });
  after(async () => {
    for (const [index, name] of own.entries())
      if (kept[index] === undefined) Reflect.deleteProperty(process.env, name);
      else process.env[name] = kept[index];
    await rm(folder, { recursive: true });
  });

  /** Puts a QEMU there whose guest ends it with this code: 33 is what the probe's boot sector gives. */
  const qemu = async (code: number): Promise<void> => {
    const file = join(folder, 'qemu-system-x86_64');
    await writeFile(file, `#!/bin/sh\n[ "$1" = --version ] || exit ${code}\n`);
    await chmod(file, 0o755);
  };
  const device = (): string => join(folder, 'kvm');

  it('is asked again when the device has come, and when QEMU has', async () => {
    const absent = await probeAcceleration(work, device());
    assert.equal(absent.accelerator, 'tcg');
    assert.match(absent.why, /^no KVM \(.*kvm/);
    await writeFile(device(), '');
    assert.match((await probeAcceleration(work, device())).why, /QEMU is not installed/);
    await qemu(33);
    assert.equal((await probeAcceleration(work, device())).accelerator, 'kvm');
  });

  it('is remembered once something was booted, until the device goes', async () => {
    await qemu(1);
    assert.equal((await probeAcceleration(work, device())).accelerator, 'kvm');
    await rm(device());
    assert.equal((await probeAcceleration(work, device())).accelerator, 'tcg');
  });

  it('is no where the device opens and nothing boots', async () => {
    await writeFile(device(), '');
    await rm(join(folder, 'handwired'), { recursive: true });
    const found = await probeAcceleration(work, device());
    assert.deepEqual(
      [found.accelerator, found.why],
      ['tcg', '/dev/kvm opens, but nothing boots with it within a second'],
    );
  });
});
