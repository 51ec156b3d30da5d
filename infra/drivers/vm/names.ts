import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { labDir, type LabSpec } from '@handwired/host';

/** What a lab's libvirt objects are called. The instance id is in every name: what lacks it is not ours. */
export interface Names {
  /** Domain, network and pool: three kinds, one name. */
  object: string;
  /** The network's bridge, at most 15 bytes (IFNAMSIZ). */
  bridge: string;
  mac: string;
  /** In the domain's description. */
  mark: string;
  base: string;
  overlay: string;
  seed: string;
}

export function namesOf(spec: Pick<LabSpec, 'name' | 'instance' | 'owner'>, baseFormat = 'qcow2'): Names {
  const hash = createHash('sha256').update(spec.instance).digest('hex');
  return {
    object: `handwired-${spec.name}-${spec.instance}`,
    bridge: `hw-${hash.slice(0, 10)}`,
    // QEMU's own prefix; the rest from the instance, so that a lab made again is another machine to switches.
    mac: `52:54:00:${hash.slice(10, 12)}:${hash.slice(12, 14)}:${hash.slice(14, 16)}`,
    mark: `handwired lab=${spec.name} owner=${spec.owner} instance=${spec.instance}`,
    base: `base.${baseFormat}`,
    overlay: 'overlay.qcow2',
    seed: 'seed.iso',
  };
}

/** The driver's own files of a lab, all in its state folder. */
export interface Files {
  folder: string;
  record: string;
  privateKey: string;
  hostKey: string;
  passphrase: string;
  /** Pulumi's file backend, its working folder and its PULUMI_HOME. */
  backend: string;
  workDir: string;
  home: string;
  /** The cloud-init disk, when it has to be uploaded; else it is made in the pool's folder. */
  seed: string;
  /** TMPDIR of the engine and the provider. */
  temporary: string;
  kernel: string;
  initrd: string;
  /** The pool's folder on a private hypervisor. */
  pool: string;
}

export function filesOf(name: string): Files {
  const folder = join(labDir(name), 'vm');
  const at = (part: string): string => join(folder, part);
  return {
    folder,
    record: at('vm.json'),
    privateKey: at('id_ed25519'),
    hostKey: at('ssh_host_ed25519_key'),
    passphrase: at('passphrase'),
    backend: at('pulumi/backend'),
    workDir: at('pulumi/work'),
    home: at('pulumi/home'),
    seed: at('seed.iso'),
    temporary: at('pulumi/tmp'),
    kernel: at('boot/kernel'),
    initrd: at('boot/initrd'),
    pool: at('pool'),
  };
}
