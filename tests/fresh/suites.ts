import { glob, readFile } from 'node:fs/promises';

/** A release that README names, and where its packages come from. */
export interface Suite {
  name: 'bookworm' | 'trixie' | 'noble';
  title: string;
  distribution: 'debian' | 'ubuntu';
  components: readonly string[];
  /** Pockets beside the release itself. */
  pockets: readonly string[];
}

export const suites = {
  bookworm: { name: 'bookworm', title: 'Debian 12', distribution: 'debian', components: ['main'], pockets: [] },
  trixie: { name: 'trixie', title: 'Debian 13', distribution: 'debian', components: ['main'], pockets: [] },
  noble: {
    name: 'noble',
    title: 'Ubuntu 24.04',
    distribution: 'ubuntu',
    components: ['main', 'universe'],
    pockets: ['-updates'],
  },
} as const satisfies Record<string, Suite>;

/** Exactly what README says is needed. */
export const needed = ['git', 'make', 'python3', 'nodejs', 'npm', 'ca-certificates'] as const;

/**
 * The mirror of a distribution: for Debian that of this machine's apt, for Ubuntu HANDWIRED_UBUNTU_MIRROR. Undefined: the
 * distribution's own, which mmdebstrap knows.
 */
export async function findMirror(distribution: Suite['distribution']): Promise<string | undefined> {
  if (distribution === 'ubuntu') return process.env.HANDWIRED_UBUNTU_MIRROR || undefined;
  for await (const file of glob('/etc/apt/sources.list{,.d/*.{list,sources}}')) {
    const text = await readFile(file, 'utf8').catch(() => '');
    const uris = Array.from(text.matchAll(/^(?:URIs:|deb (?:\[.*?\])?)\s*(https?:\S+)/gm), ([, uri = '']) => uri);
    const found = uris.find((uri) => /debian\/?$/.test(uri));
    if (found !== undefined) return found;
  }
  return undefined;
}
