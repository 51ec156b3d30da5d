import { access, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { constants } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cacheDir, exists, readMessage, readBootId, readJson, run, writeAtomic } from '@handwired/host';
import { z } from 'zod';
import { type Architecture, findArchitecture, platforms } from '../../architecture.ts';
import type { Work } from '../../driver.ts';
import { asRoot, isRoot } from '../../user-namespace.ts';

const Acceleration = z.object({
  /** The boot in which the machine was probed: see `readBootId`. */
  boot: z.string(),
  accelerator: z.enum(['kvm', 'tcg']),
  /** One line for the user. */
  why: z.string(),
  /** There is a device, and no QEMU yet to try it with. */
  untried: z.literal(true).optional(),
});
/** How this machine runs VMs: with KVM, or emulated by TCG. */
export type Acceleration = z.infer<typeof Acceleration>;

/**
 * Finds out whether this machine's KVM works, by booting a few bytes. On some hosts /dev/kvm opens, but nothing boots,
 * or it boots slower than with TCG. The boot takes at most about a second, once for each boot of the machine. What keeps
 * it from being tried is not remembered, as the user may mend it: rights on the device, a QEMU that is not installed.
 */
export async function probeAcceleration(work: Pick<Work, 'signal'>, device = '/dev/kvm'): Promise<Acceleration> {
  const boot = await readBootId();
  const refusal = await access(device, constants.R_OK | constants.W_OK).catch((error: unknown) => error);
  if (refusal !== undefined) return { boot, accelerator: 'tcg', why: `no KVM (${readMessage(refusal)})` };
  const file = join(cacheDir(), 'acceleration.json');
  const known = await readJson(file, Acceleration).catch(() => undefined);
  if (known?.boot === boot) return known;
  const architecture = findArchitecture();
  const asked = architecture && run([platforms[architecture].qemu, '--version'], { allowFailure: true });
  const { code = null } = (await asked?.catch(() => undefined)) ?? {};
  if (code === null)
    return { boot, accelerator: 'tcg', why: 'KVM is not tried yet, as QEMU is not installed', untried: true };
  const found: Acceleration = { boot, ...(await tryKvm(work.signal)) };
  await writeAtomic(file, `${JSON.stringify(found)}\n`);
  return found;
}

async function tryKvm(signal: AbortSignal): Promise<Omit<Acceleration, 'boot'>> {
  const folder = await mkdtemp(join(tmpdir(), 'handwired-probe-'));
  try {
    const boots = await bootsWithin(1200, folder, signal);
    if (boots) return { accelerator: 'kvm', why: 'KVM boots here' };
    return { accelerator: 'tcg', why: '/dev/kvm opens, but nothing boots with it within a second' };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** A program of a few bytes that counts for a moment and then ends QEMU with `code`. */
interface Probe {
  options: string[];
  /** QEMU's option for the file with the program. */
  attach: (file: string) => string[];
  program: Buffer;
  code: number;
}

/** The debug port's device ends QEMU with (value << 1) | 1: qemu/hw/misc/debugexit.c. */
const value = 0x10;

/** The BIOS loads 512 bytes from the disk and runs them. */
const pcProbe: Probe = {
  options: ['-machine', 'pc,accel=kvm', '-device', 'isa-debug-exit,iobase=0xf4,iosize=0x04'],
  attach: (file) => ['-drive', `file=${file},format=raw,if=ide,snapshot=on`],
  program: bootSector(),
  code: (value << 1) | 1,
};

/** QEMU loads the words as a kernel and jumps to the first. Powering off, by PSCI (Arm DEN 0022), ends it with 0. */
const armProbe: Probe = {
  options: ['-machine', 'virt,accel=kvm,gic-version=host'],
  attach: (file) => ['-kernel', file],
  program: instructions([
    0xd2a001e1, // mov x1, 15 << 16
    0xf1000421, // subs x1, x1, 1
    0x54ffffe1, // b.ne to the line before
    0x52800100, // mov w0, 8
    0x72b08000, // movk w0, 0x8400, lsl 16: SYSTEM_OFF
    0xd4000002, // hvc 0
    0x14000000, // b to itself
  ]),
  code: 0,
};

const probes: Record<Architecture, Probe> = { amd64: pcProbe, arm64: armProbe };

async function bootsWithin(timeoutMs: number, folder: string, signal: AbortSignal): Promise<boolean> {
  const architecture = findArchitecture();
  if (!architecture) return false;
  const { options, attach, program, code } = probes[architecture];
  const file = join(folder, 'program');
  await writeFile(file, program);
  const common = ['-cpu', 'host', '-m', '16', '-nodefaults', '-display', 'none', '-no-reboot'];
  const argv = [platforms[architecture].qemu, ...options, ...common, ...attach(file)];
  try {
    const ended = await run([...(await enterAsGuests()), ...argv], { timeoutMs, signal, allowFailure: true });
    return ended.code === code;
  } catch {
    signal.throwIfAborted();
    return false; // The time is over.
  }
}

/** Machine words of ARM in memory. */
function instructions(words: readonly number[]): Buffer {
  const program = Buffer.alloc(words.length * 4);
  words.forEach((word, index) => program.writeUInt32LE(word, index * 4));
  return program;
}

/**
 * In front of an argv: where a plain user's private libvirtd starts QEMU, in a user namespace and without the user's groups.
 * A device that only a group may open is then out of reach. A libvirtd of the system has rights of its own.
 */
async function enterAsGuests(): Promise<string[]> {
  const sockets = ['/run/libvirt/libvirt-sock', '/run/libvirt/virtqemud-sock'];
  const system = await Promise.all(sockets.map((path) => exists(path, constants.W_OK)));
  return isRoot() || system.includes(true) ? [] : [...asRoot(), 'setpriv', '--clear-groups'];
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
