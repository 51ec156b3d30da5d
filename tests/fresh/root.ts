import { cp, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { cacheDir, exists, run, underLock } from '@handwired/host';
import { findMirror, needed, type Suite, suites } from './suites.ts';

const folder = (): string => join(cacheDir(), 'fresh');
const keyrings = '/usr/share/keyrings';

/** The clean root of a suite: the base system, what README says is needed, and this machine's way to its mirrors. */
async function ensureClean(suite: Suite): Promise<string> {
  const place = join(folder(), `${suite.name}-1`);
  return underLock(`fresh root ${place}`, {}, async () => {
    if (await exists(place)) return place;
    const making = `${place}.making`;
    await rm(making, { recursive: true, force: true });
    await mkdir(folder(), { recursive: true });
    const mirror = await findMirror(suite.distribution);
    const keyring = suite.distribution === 'debian' ? `${keyrings}/debian-archive-keyring.gpg` : await ubuntuKeyring();
    const components = suite.components.join(' ');
    const lines = ['', ...suite.pockets].map((pocket) => `${mirror} ${suite.name}${pocket} ${components}`);
    const sources = mirror === undefined ? [] : lines.map((line) => `deb [signed-by=${keyring}] ${line}`);
    const argv = ['mmdebstrap', '--quiet', '--mode=root', '--variant=minbase', '--dpkgopt=force-unsafe-io'];
    const what = [
      `--keyring=${keyring}`,
      `--components=${suite.components.join(',')}`,
      // minbase has apt only where it is of priority `required`, which Ubuntu's is not.
      `--include=apt,${needed.join(',')}`,
    ];
    await run([...argv, ...what, suite.name, making, ...sources], { timeoutMs: 900_000 });
    const signedBy = `${keyrings}/${suite.distribution}-archive-keyring.gpg`;
    if (mirror !== undefined)
      await writeFile(
        join(making, 'etc/apt/sources.list'),
        lines.map((line) => `deb [signed-by=${signedBy}] ${line}\n`).join(''),
      );
    await copySettings(making);
    await rename(making, place);
    return place;
  });
}

/** Ubuntu's keys, as Debian 13 packages them: so they are proved by Debian's own. */
async function ubuntuKeyring(): Promise<string> {
  const place = join(folder(), 'ubuntu-archive-keyring.gpg');
  if (await exists(place)) return place;
  const root = await copyRoot(suites.trixie);
  try {
    const script = 'apt-get -q update && apt-get -q install -y --no-install-recommends ubuntu-keyring';
    await run(['chroot', root, 'sh', '-c', script], { timeoutMs: 300_000 });
    await cp(join(root, keyrings, 'ubuntu-archive-keyring.gpg'), place, { dereference: true });
  } finally {
    await removeRoot(root);
  }
  return place;
}

/** Files by which this machine reaches its mirrors and trusts them. */
const settings = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/resolv.conf',
  '/etc/hosts',
  '/etc/npmrc',
  '/usr/etc/npmrc',
  '/usr/local/etc/npmrc',
  '/etc/pip.conf',
  join(homedir(), '.npmrc'),
  join(homedir(), '.config/go/env'),
];

async function copySettings(root: string): Promise<void> {
  const { stdout } = await run(['sh', '-c', 'ls -d /etc/apt/apt.conf.d/99* /etc/apt/auth.conf.d/* 2>/dev/null || :']);
  for (const file of [...settings, ...stdout.split('\n').filter(Boolean)]) {
    if (!(await exists(file))) continue;
    await mkdir(dirname(join(root, file)), { recursive: true });
    await writeFile(join(root, file), await readFile(file));
  }
  // npm of the distribution reads another place than one from elsewhere.
  if ((await exists('/etc/npmrc')) && !(await exists(join(root, 'usr/etc/npmrc')))) {
    await mkdir(join(root, 'usr/etc'), { recursive: true });
    await cp('/etc/npmrc', join(root, 'usr/etc/npmrc'));
  }
}

let copies = 0;

/** A copy of a suite's clean root, for one machine. */
export async function copyRoot(suite: Suite): Promise<string> {
  const clean = await ensureClean(suite);
  const copy = join(folder(), `machine-${process.pid}-${(copies += 1)}`);
  await run(['cp', '-a', '--reflink=auto', clean, copy], { timeoutMs: 300_000 });
  return copy;
}

/** Removes a machine's root. */
export const removeRoot = (root: string): Promise<void> => rm(root, { recursive: true, force: true });
