import { access, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { constants } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cacheDir, readMessage, readBootId, readJson, run, writeAtomic } from '@handwired/host';
import { z } from 'zod';
import type { Work } from '../../driver.ts';

const Acceleration = z.object({
  /** The boot in which the machine was probed: see `readBootId`. */
  boot: z.string(),
  accelerator: z.enum(['kvm', 'tcg']),
  /** One line for the user. */
  why: z.string(),
});
/** How this machine runs VMs: with KVM, or emulated by TCG. */
export type Acceleration = z.infer<typeof Acceleration>;

/**
 * Finds out whether this machine's KVM works, by booting a few bytes. On some hosts /dev/kvm opens, but nothing boots,
 * or it boots slower than with TCG. The probe takes at most about a second, once for each boot of the machine.
 */
export async function probeAcceleration(work: Pick<Work, 'signal'>): Promise<Acceleration> {
  const file = join(cacheDir(), 'acceleration.json');
  const boot = await readBootId();
  const known = await readJson(file, Acceleration).catch(() => undefined);
  if (known?.boot === boot) return known;
  const found: Acceleration = { boot, ...(await tryKvm(work.signal)) };
  await writeAtomic(file, `${JSON.stringify(found)}\n`);
  return found;
}

async function tryKvm(signal: AbortSignal): Promise<Omit<Acceleration, 'boot'>> {
  const device = await access('/dev/kvm', constants.R_OK | constants.W_OK).catch((error: unknown) => error);
  if (device !== undefined) return { accelerator: 'tcg', why: `no KVM (${readMessage(device)})` };
  const folder = await mkdtemp(join(tmpdir(), 'handwired-probe-'));
  try {
    const image = join(folder, 'boot.img');
    await writeFile(image, bootSector());
    const boots = await bootsWithin(1200, image, signal);
    if (boots) return { accelerator: 'kvm', why: 'KVM boots here' };
    return { accelerator: 'tcg', why: '/dev/kvm opens, but nothing boots with it within a second' };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The debug port's device ends QEMU with (value << 1) | 1: qemu/hw/misc/debugexit.c. */
const value = 0x10;

async function bootsWithin(timeoutMs: number, image: string, signal: AbortSignal): Promise<boolean> {
  const qemu = ['qemu-system-x86_64', '-machine', 'pc,accel=kvm', '-cpu', 'host', '-m', '16', '-nodefaults'];
  const rest = ['-display', 'none', '-no-reboot', '-device', 'isa-debug-exit,iobase=0xf4,iosize=0x04'];
  const disk = ['-drive', `file=${image},format=raw,if=ide,snapshot=on`];
  try {
    const { code } = await run([...qemu, ...rest, ...disk], { timeoutMs, signal, allowFailure: true });
    return code === ((value << 1) | 1);
  } catch {
    signal.throwIfAborted();
    return false; // The time is over, or there is no QEMU here.
  }
}

/** 512 bytes that the BIOS loads and runs: a loop of a million turns, then `out 0xf4, value`. */
function bootSector(): Buffer {
  const sector = Buffer.alloc(512);
  sector.set([
    0x66,
    0xb9,
    0x40,
    0x42,
    0x0f,
    0x00, // mov ecx, 1000000
    0x66,
    0x49,
    0x75,
    0xfc, // dec ecx; jnz
    0xb0,
    value, // mov al, value
    0xe6,
    0xf4, // out 0xf4, al
    0xf4,
    0xeb,
    0xfd, // hlt; jmp
  ]);
  sector.set([0x55, 0xaa], 510);
  return sector;
}
