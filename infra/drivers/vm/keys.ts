import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rm } from 'node:fs/promises';
import { run, writeAtomic } from '@handwired/host';
import { filesOf } from './names.ts';

/** A lab's secrets, made before its VM: the VM never makes a key, and we never trust one on first use. */
export interface Keys {
  privateKeyFile: string;
  /** For authorized_keys. */
  publicKey: string;
  /** OpenSSH private key, for the seed. */
  hostPrivateKey: string;
  /** `ssh-ed25519 AAAA...`, for the endpoint. */
  hostPublicKey: string;
  /** Encrypts secrets in the engine's state. */
  passphrase: string;
}

/** The lab's keys, made when they are not there whole. */
export async function ensureKeys(lab: string): Promise<Keys> {
  const files = filesOf(lab);
  await mkdir(files.folder, { recursive: true, mode: 0o700 });
  const [publicKey, hostPublicKey, passphrase] = await Promise.all([
    ensurePair(files.privateKey, `handwired ${lab}`),
    ensurePair(files.hostKey, lab),
    ensurePassphrase(files.passphrase),
  ]);
  const hostPrivateKey = await readFile(files.hostKey, 'utf8');
  return { privateKeyFile: files.privateKey, publicKey, hostPrivateKey, hostPublicKey, passphrase };
}

/** Public half, two words. ssh-keygen writes the private file first: without the public one, both are made again. */
async function ensurePair(file: string, comment: string): Promise<string> {
  const known = await readPublic(file);
  if (known !== undefined) return known;
  await rm(file, { force: true });
  await run(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-C', comment, '-f', file]);
  return (await readPublic(file)) ?? '';
}

async function readPublic(file: string): Promise<string | undefined> {
  const text = await readFile(`${file}.pub`, 'utf8').catch(() => '');
  return /^ssh-ed25519 [\w+/=]+/.exec(text)?.[0];
}

async function ensurePassphrase(file: string): Promise<string> {
  const known = await readFile(file, 'utf8').catch(() => '');
  if (known !== '') return known;
  const made = randomBytes(24).toString('base64url');
  await writeAtomic(file, made);
  return made;
}
