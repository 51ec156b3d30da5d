import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '@handwired/host';

/** Everything on a machine's disk, by path: its type and, for files, its size. */
export type Listing = Map<string, string>;

/**
 * What apt, dpkg and the packages' own scripts change when any package is installed and removed again: their records and
 * caches, the users that Debian's policy keeps, where Ubuntu's base-files diverts folders that /usr has taken over, and
 * what systemd's scripts make and leave. The checkout is README's "this
 * folder".
 */
const changedByPackages = new RegExp(
  [
    'var/lib/(dpkg|apt|pam|ucf|systemd|python|polkit-1|dbus|private)(/|$)',
    'var/cache/(apt|debconf|ldconfig|man|fontconfig|private)(/|$)',
    'var/log/(apt|private)(/|$)',
    'var/log/(dpkg|alternatives|fontconfig|bootstrap)\\.log',
    'etc/(passwd|group|shadow|gshadow|subuid|subgid)-?$',
    'etc/(ld\\.so\\.cache|\\.pwd\\.lock|mailcap|machine-id|mtab|vconsole\\.conf|default/locale)$',
    'root/\\.ssh$',
    'usr/lib/python3/dist-packages/.*__pycache__',
    '(root|home/[^/]+)/handwired(/|$)',
    '(bin|sbin|lib)\\.usr-is-merged$',
    '(dev|proc|sys|run|tmp)$',
  ]
    .map((pattern) => `^${pattern}`)
    .join('|'),
);

/** Lists a root from outside, while nothing runs there. Files that a package has are left out: dpkg removes them. */
export async function listRoot(root: string): Promise<Listing> {
  const { stdout } = await run(['find', root, '-xdev', '-mindepth', '1', '-printf', '%P\t%y\t%s\n']);
  const owned = await listOwned(root);
  const listing: Listing = new Map();
  for (const line of stdout.split('\n')) {
    const [path = '', type = '', size = ''] = line.split('\t');
    if (path === '' || owned.has(path) || changedByPackages.test(path)) continue;
    listing.set(path, type === 'f' ? `file of ${size} bytes` : type);
  }
  return listing;
}

/** The files of all installed packages; also by the other name of folders that /usr has taken over. */
async function listOwned(root: string): Promise<Set<string>> {
  const info = join(root, 'var/lib/dpkg/info');
  const lists = (await readdir(info)).filter((name) => name.endsWith('.list'));
  const texts = await Promise.all(lists.map((name) => readFile(join(info, name), 'utf8')));
  const paths = texts.flatMap((text) => text.split('\n')).map((path) => path.slice(1));
  return new Set(paths.flatMap((path) => (/^(bin|sbin|lib\w*)\//.test(path) ? [path, `usr/${path}`] : [path])));
}

/** The difference: `+` came, `-` went, `~` changed. Of a folder that came only itself is named. */
export function compareListings(before: Listing, after: Listing): string[] {
  const came = [...after.keys()].filter((path) => !before.has(path));
  const isBelow = (path: string): boolean => came.some((other) => path.startsWith(`${other}/`));
  const went = [...before.keys()].filter((path) => !after.has(path));
  const changed = [...after].filter(([path, what]) => before.has(path) && before.get(path) !== what);
  return [
    ...came.filter((path) => !isBelow(path)).map((path) => `+ /${path}`),
    ...went.map((path) => `- /${path}`),
    ...changed.map(([path, what]) => `~ /${path}: ${before.get(path)}, now ${what}`),
  ].sort();
}
