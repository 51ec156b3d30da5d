import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { run } from '@handwired/host';
import { stringify } from 'yaml';
import { renderEnv } from '../drivers/shared/lab-files.ts';

/** The settings that a lab host gets at its first boot. */
export interface SeedInputs {
  /** The lab's name: hostname of the lab host. */
  name: string;
  /** The lab's instance id. For cloud-init, a changed id means a new machine. */
  instance: string;
  /** OpenSSH format: private key as PEM text, public key as one line. */
  hostKeyPair: { privateKey: string; publicKey: string };
  /** One line: the only key that may log in. */
  authorizedKey: string;
  /** Conditions and the like for /etc/handwired/lab.env. */
  env: Record<string, string>;
}

/** The two files of a NoCloud seed. https://docs.cloud-init.io/en/latest/reference/datasources/nocloud.html */
export interface Seed {
  userData: string;
  metaData: string;
}

/**
 * Renders the seed of one lab host. `dsmode: local` has cloud-init apply it in its first stage, before any network. The
 * management address is not in it but on the kernel command line (kernelCmdline), so that ssh does not wait for it.
 */
export function renderSeed(inputs: SeedInputs): Seed {
  const { name, instance, hostKeyPair, authorizedKey, env } = inputs;
  const file = (path: string, permissions: string, content: string): object => ({
    path: `/etc/handwired/${path}`,
    owner: 'root:root',
    permissions,
    content: withNewline(content),
  });
  const userData = {
    hostname: name,
    preserve_hostname: false,
    ssh_deletekeys: false,
    write_files: [
      file('lab.env', '0644', renderEnv(env)),
      file('authorized_keys', '0600', authorizedKey),
      file('ssh_host_ed25519_key.pub', '0644', hostKeyPair.publicKey),
      file('ssh_host_ed25519_key', '0600', hostKeyPair.privateKey),
    ],
  };
  return {
    userData: `#cloud-config\n${yaml(userData)}`,
    metaData: yaml({ 'instance-id': instance, 'local-hostname': name, dsmode: 'local' }),
  };
}

const withNewline = (text: string): string => (text.endsWith('\n') ? text : `${text}\n`);

/** YAML 1.1, which cloud-init's PyYAML reads: `0644`, `yes` and the like are quoted; no line is folded. */
const yaml = (value: unknown): string => stringify(value, { version: '1.1', lineWidth: 0 });

/** Writes a seed as the ISO 9660 image, labelled `cidata`, that cloud-init looks for. Attach it as a virtio disk. */
export async function writeSeedDisk(seed: Seed, file: string, signal: AbortSignal): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  // Beside the disk, so that the leftovers of a kill -9 are removed with the lab.
  const folder = await mkdtemp(`${file}-`);
  try {
    const files = { 'user-data': seed.userData, 'meta-data': seed.metaData };
    for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text, { mode: 0o600 });
    const argv = ['genisoimage', '-quiet', '-output', file, '-volid', 'cidata', '-joliet', '-rock', folder];
    await run(argv, { signal, next: 'lab setup vm' });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
