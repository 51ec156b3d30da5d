import { access } from 'node:fs/promises';
import { EXIT, LabError, type LabSpec, type Lock, stateDir, takeLock } from '@handwired/host';
import type { Work } from '../../../driver.ts';
import { probeAcceleration } from '../acceleration.ts';
import type { VmRecord } from '../record.ts';
import { answers } from '../virsh.ts';
import {
  enlist,
  ensurePrivate,
  isEnlisted,
  privateDaemon,
  privateUri,
  requireRoot,
  stopPrivate,
  strikeOff,
} from './private.ts';

/** A libvirt daemon that can be talked to. */
export interface Hypervisor {
  kind: VmRecord['hypervisor']['kind'];
  uri: string;
  /** A process in the private hypervisor's namespaces: the way to its networks. */
  pid?: number;
}

const systemUri = 'qemu:///system';
const systemSockets = ['/run/libvirt/libvirt-sock', '/run/libvirt/virtqemud-sock'];

/** Which daemon a new lab would use, without starting any. */
export async function chooseHypervisor(uri: string | undefined, signal: AbortSignal): Promise<Omit<Hypervisor, 'pid'>> {
  if (uri !== undefined) return { kind: 'given', uri };
  if (await systemAnswers(signal)) return { kind: 'system', uri: systemUri };
  return { kind: 'private', uri: privateUri() };
}

async function systemAnswers(signal: AbortSignal): Promise<boolean> {
  const socket = await Promise.any(systemSockets.map((path) => access(path))).then(
    () => true,
    () => false,
  );
  return socket && (await answers(systemUri, 3000, signal));
}

/**
 * The lab's hypervisor, answering: the one in its record, else `--uri`, else the system's, else a private one that is
 * started here and knows from then on that this lab lives on it.
 */
export async function ensureHypervisor(
  spec: LabSpec,
  recorded: VmRecord['hypervisor'] | undefined,
  work: Work,
): Promise<Hypervisor> {
  const chosen = recorded ?? (await chooseHypervisor(spec.uri, work.signal));
  if (chosen.kind !== 'private') {
    if (await answers(chosen.uri, 5000, work.signal)) return chosen;
    throw new LabError({
      what: `no libvirt daemon answers at ${chosen.uri}`,
      where: chosen.kind === 'given' ? 'the URI given with --uri' : 'the libvirt daemon of this machine',
      next: `virsh -c '${chosen.uri}' version, then lab up ${spec.name} again`,
      exit: EXIT.config,
    });
  }
  requireRoot();
  const { accelerator } = await probeAcceleration(work);
  const lock = await hypervisorLock(work.signal);
  try {
    await enlist(spec.name);
    const { pid } = await ensurePrivate(accelerator === 'kvm', work);
    return { ...chosen, pid };
  } finally {
    await lock.release();
  }
}

/**
 * Every daemon that could have a lab of which no record is left; only those that answer. The record is written before
 * anything is made: without one, a URI that never answered has nothing of the lab.
 */
export async function hypervisorsOf(spec: LabSpec, signal: AbortSignal): Promise<VmRecord['hypervisor'][]> {
  const found: VmRecord['hypervisor'][] = [];
  if (spec.uri !== undefined) {
    if (await answers(spec.uri, 5000, signal)) found.push({ kind: 'given', uri: spec.uri });
  } else if (await systemAnswers(signal)) {
    found.push({ kind: 'system', uri: systemUri });
  }
  if (await isEnlisted(spec.name)) found.push({ kind: 'private', uri: privateUri() });
  return found;
}

/** The lab has left; its private hypervisor goes with the last one. A line for what was removed. */
export async function leaveHypervisor(lab: string, signal: AbortSignal): Promise<string[]> {
  const lock = await hypervisorLock(signal);
  try {
    return (await strikeOff(lab)) ? [] : await stopPrivate();
  } finally {
    await lock.release();
  }
}

/** The lab's hypervisor as it is now, without starting it; undefined when it does not run or answer. */
export async function runningHypervisor(
  recorded: VmRecord['hypervisor'],
  signal: AbortSignal,
): Promise<Hypervisor | undefined> {
  if (recorded.kind === 'private') {
    const daemon = await privateDaemon();
    return daemon && { ...recorded, pid: daemon.pid };
  }
  return (await answers(recorded.uri, 2000, signal)) ? recorded : undefined;
}

const hypervisorLock = (signal: AbortSignal): Promise<Lock> => takeLock(`hypervisor ${stateDir()}`, signal);
