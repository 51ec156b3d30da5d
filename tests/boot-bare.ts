import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type Dial, LabError, probeGreeting, run } from '@handwired/host';
import { platforms } from '../infra/architecture.ts';
import type { Work } from '../infra/driver.ts';
import { type Image, kernelCmdline } from '../infra/image/index.ts';

export interface BareOptions {
  accelerator: 'kvm' | 'tcg';
  cpus: number;
  memoryMiB: number;
  /** Default 300 000. */
  deadlineMs?: number;
}

/** A guest that QEMU alone runs: the yardstick for what the vm driver adds, and the way to test an image by itself. */
export interface BareVm {
  /** From QEMU's start to the first byte of sshd's banner. lab-ssh@.service holds that until the lab host is ready. */
  ms: number;
  dial: Dial;
  /** What the serial console has said. */
  console(): Promise<string>;
  /** Ends QEMU; its overlay and its network namespace go with it. */
  stop(): Promise<void>;
}

/** The guest's address and MAC. The network exists only inside a namespace of its own. */
const bareMgmt = { address: '192.168.234.2', prefix: 30, mac: '52:54:00:68:77:01' } as const;
const hostEnd = '192.168.234.1/30';

/** Boots the image with a seed disk (see writeSeedDisk) and waits for ssh. Needs root, for the namespace and its tap. */
export async function bootBare(image: Image, seedDisk: string, options: BareOptions, work: Work): Promise<BareVm> {
  const folder = await mkdtemp(join(tmpdir(), 'handwired-bare-'));
  const stopped = new AbortController();
  const overlay = join(folder, 'overlay.qcow2');
  const create = ['qemu-img', 'create', '-q', '-f', 'qcow2', '-F', image.format, '-b', image.disk, overlay];
  await run(create, { signal: work.signal, next: 'lab image build' });
  const began = performance.now();
  const qemu = run(argvOf(image, { overlay, seedDisk, folder }, options), {
    signal: AbortSignal.any([work.signal, stopped.signal]),
  });
  const ended = qemu.then(
    () => undefined,
    () => undefined,
  );
  const stop = async (): Promise<void> => {
    stopped.abort();
    await ended;
    await rm(folder, { recursive: true, force: true });
  };
  const consoleText = (): Promise<string> => readFile(join(folder, 'console.log'), 'utf8').catch(() => '');
  try {
    const signal = AbortSignal.any([work.signal, AbortSignal.timeout(options.deadlineMs ?? 300_000)]);
    const answer = waitForBanner(join(folder, 'pid'), signal);
    // QEMU does not end by itself: if it does, it says why.
    const dial = await Promise.race([answer, qemu.then(() => Promise.reject(endedEarly()))]);
    return { ms: performance.now() - began, dial: { command: dial }, console: consoleText, stop };
  } catch (error) {
    const said = (await consoleText()).trimEnd().split('\n').slice(-3).join(' | ');
    await stop();
    work.signal.throwIfAborted();
    const what = `no answer over ssh from a bare QEMU; its console ends with: ${said || 'nothing'}`;
    throw new LabError({ what, where: image.disk, next: 'lab image verify', cause: error });
  }
}

const endedEarly = (): LabError => new LabError({ what: 'QEMU ended before ssh answered', next: 'lab doctor' });

function argvOf(
  image: Image,
  files: { overlay: string; seedDisk: string; folder: string },
  { accelerator, cpus, memoryMiB }: BareOptions,
): string[] {
  const { qemu, machine } = platforms[image.architecture];
  const script = join(import.meta.dirname, 'boot-bare.sh');
  return [
    ...['setpriv', '--pdeathsig', 'KILL', '--', 'unshare', '--net', 'sh', script],
    ...[join(files.folder, 'pid'), bareMgmt.address, hostEnd, bareMgmt.mac],
    ...[qemu, '-machine', machine, '-accel', accelerator],
    ...['-cpu', accelerator === 'kvm' ? 'host' : 'max', '-smp', String(cpus), '-m', String(memoryMiB)],
    ...['-nodefaults', '-display', 'none', '-serial', `file:${join(files.folder, 'console.log')}`],
    ...['-kernel', image.kernel, '-initrd', image.initrd, '-append', kernelCmdline(image, bareMgmt)],
    ...['-drive', `file=${files.overlay},if=virtio,format=qcow2,cache=unsafe`],
    ...['-drive', `file=${files.seedDisk},if=virtio,format=raw,readonly=on`],
    ...['-netdev', 'tap,id=mgmt,ifname=tap0,script=no,downscript=no'],
    ...['-device', `virtio-net-pci,netdev=mgmt,mac=${bareMgmt.mac},romfile=`],
  ];
}

/** Tries to connect until the guest takes a connection, then keeps that one: the guest answers on it when it is ready. */
async function waitForBanner(pidFile: string, signal: AbortSignal): Promise<string[]> {
  for (;;) {
    signal.throwIfAborted();
    const pid = (await readFile(pidFile, 'utf8').catch(() => '')).trim();
    const dial = (seconds: number): string[] => [
      ...['nsenter', '-t', pid, '-n', 'socat', '-', `TCP:${bareMgmt.address}:22,connect-timeout=${seconds}`],
    ];
    if (pid !== '' && (await greets(dial(0.3), signal))) return dial(10);
    // A refusal comes at once; socat's own time limit paces the rest.
    await delay(50, undefined, { signal });
  }
}

/** The guest may hold its greeting back until it is ready: only the signal ends the wait. */
const greets = async (argv: string[], signal: AbortSignal): Promise<boolean> =>
  (await probeGreeting({ command: argv }, { timeoutMs: 3_600_000, signal })) === undefined;
