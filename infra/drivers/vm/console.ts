import { join } from 'node:path';
import { lastLines } from './hypervisor/leftovers.ts';
import type { Hypervisor } from './hypervisor/index.ts';
import { privateFolders } from './hypervisor/private.ts';
import { filesOf } from './names.ts';

/**
 * Where virtlogd writes the guest's serial console. Bounded to 2 MiB by virtlogd. Another machine's libvirtd writes it
 * there: then it can't be read from here.
 */
export function consoleFile(lab: string, object: string, kind: Hypervisor['kind']): string {
  return kind === 'private' ? join(filesOf(lab).folder, 'console.log') : `/var/log/libvirt/qemu/${object}-console.log`;
}

/** The console, and QEMU's own log: a private libvirt writes that to a folder of ours, bound over its own. */
export function logFiles(lab: string, object: string, kind: Hypervisor['kind']): string[] {
  const folder = kind === 'private' ? join(privateFolders().state, 'log') : '/var/log/libvirt';
  return [consoleFile(lab, object, kind), join(folder, 'qemu', `${object}.log`)];
}

/** The console's last lines, safe to print; '' when it can't be read. */
export const consoleTail = (file: string): Promise<string> => lastLines(file, 12);

/** The kernel's own words for its end. */
export const panicked = (text: string): boolean => /Kernel panic - not syncing|end Kernel panic/.test(text);
