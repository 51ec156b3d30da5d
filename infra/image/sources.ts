import { readFile } from 'node:fs/promises';
import { LabError, messageOf, run } from '@handwired/host';

/** Where packages of the image come from: always what this machine's own apt is told to use. */
export interface Sources {
  /** `trixie` on any Debian; the machine's own codename on Ubuntu. */
  suite: string;
  distribution: 'debian' | 'ubuntu';
  /** One-line style of sources.list(5), sorted. */
  lines: string[];
  /** apt.conf(5) settings that reach the mirror: proxy, certificates. */
  aptOptions: string[];
}

/** The Debian release that images are made of, whatever release the machine runs. */
const debianSuite = 'trixie';
const keyrings = { debian: '/usr/share/keyrings/debian-archive-keyring.gpg', ubuntu: '/usr/share/keyrings' };
const components = { debian: ['main'], ubuntu: ['main', 'universe'] };

/** Reads the machine's apt configuration by apt's own tools: deb822 and one-line files, proxies, mirrors. */
export async function findSources(signal: AbortSignal): Promise<Sources> {
  const os = parseOsRelease(await readFile('/etc/os-release', 'utf8').catch(() => ''));
  const options = { signal, next: 'lab doctor' };
  const targets = await run(['apt-get', 'indextargets', '--format', '$(RELEASE) $(CODENAME) $(REPO_URI)'], options);
  const config = await run(['apt-config', 'dump', 'Acquire'], options);
  return sourcesOf(os, targets.stdout, config.stdout);
}

/** Pure: from os-release, `apt-get indextargets` (release, codename, URI a line) and `apt-config dump` to sources. */
export function sourcesOf(os: Record<string, string>, targets: string, config: string): Sources {
  const distribution = os['ID'];
  const own = os['VERSION_CODENAME'];
  if (own === undefined || (distribution !== 'debian' && distribution !== 'ubuntu')) {
    throw new LabError({
      what: `images are built on Debian or Ubuntu; this machine is ${os['PRETTY_NAME'] ?? 'unknown'}`,
      where: '/etc/os-release',
      next: 'lab up --driver sandbox',
    });
  }
  const suite = distribution === 'debian' ? debianSuite : own;
  const lines = new Set<string>();
  for (const target of targets.split('\n')) {
    const [release = '', codename = '', uri = ''] = target.split(' ');
    const pocket = pocketOf(release, own) ?? pocketOf(codename, own);
    if (pocket !== undefined && uri !== '') lines.add(lineOf(uri, suite + pocket, distribution));
  }
  if (lines.size === 0) {
    throw new LabError({
      what: `apt on this machine has no source for ${own}`,
      where: '/etc/apt/sources.list.d',
      next: 'apt-get update',
    });
  }
  return { suite, distribution, lines: [...lines].sort(), aptOptions: aptOptionsOf(config) };
}

const lineOf = (uri: string, suite: string, distribution: 'debian' | 'ubuntu'): string =>
  `deb [signed-by=${keyrings[distribution]}] ${uri} ${suite} ${components[distribution].join(' ')}`;

/** `` for the release itself, `-updates` and `-security` for the pockets that carry fixes; others are not ours. */
function pocketOf(release: string, own: string): string | undefined {
  if (!release.startsWith(own)) return undefined;
  const pocket = release.slice(own.length);
  return ['', '-updates', '-security'].includes(pocket) ? pocket : undefined;
}

/** Only what is needed to reach a mirror; hooks and cache settings of the machine stay out. */
function aptOptionsOf(config: string): string[] {
  const wanted =
    /^Acquire::(https?|ftp)::(.*::)?(Proxy|Proxy-Auto-Detect|CaInfo|CaPath|Verify-Peer|Verify-Host)(::\S+)? "/i;
  return config.split('\n').filter((line) => wanted.test(line) && !line.includes(' "";'));
}

/** os-release(5): KEY=VALUE lines, values perhaps quoted. */
export function parseOsRelease(text: string): Record<string, string> {
  const pairs = Array.from(text.matchAll(/^([A-Z_]+)=(["']?)(.*?)\2$/gm), ([, key, , value]) => [
    key ?? '',
    value ?? '',
  ]);
  return Object.fromEntries(pairs) as Record<string, string>;
}

/** The exact packages of a built root, `NAME VERSION` sorted, from dpkg's status file. */
export async function packagesOf(root: string): Promise<string[]> {
  const status = await readFile(`${root}/var/lib/dpkg/status`, 'utf8').catch((error: unknown) => {
    throw new LabError({ what: `no dpkg status: ${messageOf(error)}`, where: root, next: 'lab image build' });
  });
  const found = status.split('\n\n').map((stanza) => {
    const field = (name: string): string => new RegExp(`^${name}: (.*)$`, 'm').exec(stanza)?.[1] ?? '';
    return `${field('Package')} ${field('Version')}`;
  });
  return found.filter((line) => line.trim() !== '').sort();
}
