import { arch } from 'node:os';
import { LabError } from '@handwired/host';

/** A processor's name, as Debian has it. */
export type Architecture = 'amd64' | 'arm64';

/** How a virtual machine of a processor is made and booted. */
export interface Platform {
  /** QEMU's program, and libvirt's and the kernel's name for the processor. */
  qemu: string;
  name: string;
  /** QEMU's machine type. */
  machine: string;
  /** The first serial port in the guest. */
  console: string;
}

/** What differs between the processors that we make lab hosts for. */
export const platforms: Record<Architecture, Platform> = {
  amd64: { qemu: 'qemu-system-x86_64', name: 'x86_64', machine: 'q35', console: 'ttyS0' },
  arm64: { qemu: 'qemu-system-aarch64', name: 'aarch64', machine: 'virt', console: 'ttyAMA0' },
};

/** This machine's processor; undefined for one that we make no lab hosts for. */
export function findArchitecture(): Architecture | undefined {
  const own = arch();
  if (own === 'arm64') return own;
  return own === 'x64' ? 'amd64' : undefined;
}

/** This machine's processor. LabError: we make no lab hosts for it. */
export function requireArchitecture(): Architecture {
  const found = findArchitecture();
  if (found) return found;
  throw new LabError({ what: `no image for ${arch()} processors`, next: 'lab up --driver sandbox' });
}
