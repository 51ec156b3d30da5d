import { access, chmod, copyFile, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { type LabSpec, run } from '@handwired/host';
import type { SandboxFiles } from './files.ts';

/** Makes what the sandbox's init reads: keys (kept when they are there), lab.env, mount points. */
export async function prepare(spec: LabSpec, files: SandboxFiles, signal: AbortSignal): Promise<void> {
  for (const folder of [files.folder, ...files.mountPoints]) await mkdir(folder, { recursive: true, mode: 0o700 });
  await Promise.all([
    ensureKey(files.privateKey, spec.name, signal),
    ensureKey(files.hostKey, spec.name, signal),
    writeFile(files.env, labEnv(spec), { mode: 0o600 }),
  ]);
  await copyFile(`${files.privateKey}.pub`, files.authorizedKeys);
  await chmod(files.authorizedKeys, 0o600);
}

/** The lab host's public key without its comment. */
export async function publicKey(privateKey: string): Promise<string> {
  const [type, key] = (await readFile(`${privateKey}.pub`, 'utf8')).split(' ');
  return `${type ?? ''} ${key?.trim() ?? ''}`;
}

/** The KEY=VALUE lines that the boot scripts source: every value is one of an enumeration or a DNS label. */
export function labEnv(spec: LabSpec): string {
  const { conditions } = spec;
  return [
    `LAB_NAME=${spec.name}`,
    `LAB_DRIVER=${spec.driver}`,
    `FORWARD_POLICY=${conditions['forward-policy']}`,
    `BRIDGE_NF=${conditions['bridge-nf']}`,
    `RESOLVER=${conditions.resolver}`,
    `IP_FORWARD=${conditions['ip-forward']}`,
    '',
  ].join('\n');
}

async function ensureKey(file: string, comment: string, signal: AbortSignal): Promise<void> {
  const partial = `${file}.new`;
  if (await exists(file)) return;
  await Promise.all([rm(partial, { force: true }), rm(`${partial}.pub`, { force: true })]);
  await run(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-C', comment, '-f', partial], {
    signal,
    next: 'make setup',
  });
  // The private half last: it is what tells that both are there.
  await rename(`${partial}.pub`, `${file}.pub`);
  await rename(partial, file);
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );
