import { readFile, rename, rm } from 'node:fs/promises';
import { type LabSpec, quote, run } from '@handwired/host';

/** The variables in /etc/handwired/lab.env, which a lab host's boot scripts read. */
export function renderLabEnv({ name, driver, conditions }: LabSpec): Record<string, string> {
  return {
    LAB_NAME: name,
    LAB_DRIVER: driver,
    FORWARD_POLICY: conditions['forward-policy'],
    BRIDGE_NF: conditions['bridge-nf'],
    RESOLVER: conditions.resolver,
    IP_FORWARD: conditions['ip-forward'],
  };
}

/** Variables as KEY=VALUE lines that a POSIX sh may source. */
export const renderEnv = (env: Record<string, string>): string =>
  Object.entries(env)
    .map(([key, value]) => `${key}=${quote(value)}\n`)
    .join('');

/**
 * Makes an ed25519 key pair, `file` and `file.pub`, unless a whole one is there. Returns the public key without its
 * comment, `ssh-ed25519 AAAA...`. A run that was interrupted leaves no `file` without `file.pub`. LabError: ssh-keygen
 * failed.
 */
export async function ensureKeyPair(file: string, comment: string, signal?: AbortSignal): Promise<string> {
  const known = await readKeyPair(file, signal);
  if (known !== undefined) return known;
  const partial = `${file}.new`;
  await Promise.all([rm(partial, { force: true }), rm(`${partial}.pub`, { force: true })]);
  await run(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-C', comment, '-f', partial], {
    next: 'make setup',
    ...(signal && { signal }),
  });
  // The private key is renamed last: when it exists, the pair is complete.
  // What is damaged may be a folder.
  for (const old of [file, `${file}.pub`]) await rm(old, { recursive: true, force: true });
  await rename(`${partial}.pub`, `${file}.pub`);
  await rename(partial, file);
  return (await readPublicKey(file)) ?? '';
}

/** The public key of a pair; undefined when one of its files is missing or damaged, or they do not belong together. */
export async function readKeyPair(file: string, signal?: AbortSignal): Promise<string | undefined> {
  const known = await readPublicKey(file);
  if (known === undefined) return undefined;
  const ofPrivate = ['ssh-keygen', '-y', '-P', '', '-f', file];
  const { stdout } = await run(ofPrivate, { allowFailure: true, next: 'make setup', ...(signal && { signal }) });
  return stdout.startsWith(known) ? known : undefined;
}

/** The public key in `file.pub`, without its comment; undefined when it is missing or damaged. */
export async function readPublicKey(file: string): Promise<string | undefined> {
  const text = await readFile(`${file}.pub`, 'utf8').catch(() => '');
  return /^ssh-ed25519 [\w+/=]+/.exec(text)?.[0];
}
