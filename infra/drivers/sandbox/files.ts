import { join } from 'node:path';
import { labDir } from '@handwired/host';

const here = import.meta.dirname;

/** The numbered scripts and files that make a lab host; the same for every driver. */
export const cloudInit = join(here, '../../../cloud-init');

export const launchScript = join(here, 'launch.sh');
export const enterScript = join(here, 'enter.sh');
export const seatScript = join(here, 'seat.sh');

/** What a sandbox keeps on the machine's disk: its keys and who its init process is. The rest is in memory. */
export interface SandboxFiles {
  folder: string;
  /** `PID START BOOT_ID`, written by the init itself before it makes anything. */
  init: string;
  /** A copy of `init`, written when that init answered over ssh: start scripts have ended. */
  ready: string;
  env: string;
  privateKey: string;
  authorizedKeys: string;
  hostKey: string;
  /** Mount points, used in the sandbox's own mount namespace only. */
  mountPoints: string[];
}

/** Paths of one lab's sandbox. */
export function filesOf(lab: string): SandboxFiles {
  const folder = join(labDir(lab), 'sandbox');
  return {
    folder,
    init: join(folder, 'init'),
    ready: join(folder, 'ready'),
    env: join(folder, 'lab.env'),
    privateKey: join(folder, 'id_ed25519'),
    authorizedKeys: join(folder, 'authorized_keys'),
    hostKey: join(folder, 'ssh_host_ed25519_key'),
    mountPoints: [join(folder, 'root'), join(folder, 'layers')],
  };
}
